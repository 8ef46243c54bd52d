/* Mails to an SMTP server (RFC 5321) through libcurl, which no other file uses. One connection serves all mails. */
#include "mail_transport.h"

#include <curl/curl.h>
#include <poll.h>
#include <sys/socket.h>

/* What is known about the transfer of one mail. */
struct exchange {
	int stop; /* the descriptor of the letter */
	FILE *message;
	const char *command; /* the last one but QUIT */
	char refusal[200];   /* the server's reply to it, if that was 4xx or 5xx */
};

static CURL *connection;

/* Also called about once a second. A message that is being sent is not interrupted: it would be sent a second time. */
static int
on_smtp_progress(void *user, curl_off_t to_get, curl_off_t got, curl_off_t to_send, curl_off_t sent)
{
	const struct exchange *exchange = user;
	struct pollfd stop = { .fd = exchange->stop, .events = POLLIN };

	(void)to_get, (void)got, (void)to_send, (void)sent;
	return ftell(exchange->message) == 0 && poll(&stop, 1, 0) > 0;
}

/* The first line, as printable ASCII that needs no escape in a quoted value. */
static void
copy_line(char *out, size_t room, const char *s, size_t length)
{
	size_t n = 0;

	for (; n < length && n + 1 < room && s[n] != '\r' && s[n] != '\n'; n++)
		out[n] = s[n] < ' ' || s[n] > '~' || s[n] == '"' ? '?' : s[n];
	out[n] = '\0';
}

/* Only here does libcurl show which command a reply belongs to. Other lines are not kept: they may be a password. */
static int
on_debug(CURL *curl, curl_infotype type, char *data, size_t size, void *user)
{
	static const char *const commands[] = { "EHLO", "HELO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA" };
	struct exchange *exchange = user;

	(void)curl;
	for (size_t i = 0; type == CURLINFO_HEADER_OUT && i < COUNT(commands); i++) {
		if (size >= strlen(commands[i]) && memcmp(data, commands[i], strlen(commands[i])) == 0) {
			exchange->command = commands[i];
			exchange->refusal[0] = '\0';
		}
	}
	if (type == CURLINFO_HEADER_IN && size > 0 && (*data == '4' || *data == '5'))
		copy_line(exchange->refusal, sizeof(exchange->refusal), data, size);
	return 0;
}

static CURL *
prepare_transfer(const struct conf *conf)
{
	CURL *curl = curl_easy_init();
	bool v6 = strchr(conf->smtp_host, ':') != NULL;
	char url[600];

	if (!curl)
		return NULL;
	/* The path is the name for EHLO: the domain that the mails come from. */
	snprintf(url, sizeof(url), "%s://%s%s%s:%d/%s", conf->smtp_security == SMTP_TLS ? "smtps" : "smtp", v6 ? "[" : "",
		conf->smtp_host, v6 ? "]" : "", (int)conf->smtp_port, strrchr(conf->mail_from, '@') + 1);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)conf->smtp_timeout);
	/* After a refusal libcurl sends QUIT, and only this limits how long it waits for the reply. */
	curl_easy_setopt(curl, CURLOPT_SERVER_RESPONSE_TIMEOUT, (long)conf->smtp_timeout);
	if (conf->smtp_security == SMTP_STARTTLS)
		curl_easy_setopt(curl, CURLOPT_USE_SSL, (long)CURLUSESSL_ALL);
	curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
	if (conf->smtp_ca[0])
		curl_easy_setopt(curl, CURLOPT_CAINFO, conf->smtp_ca);
	if (conf->smtp_user[0]) {
		curl_easy_setopt(curl, CURLOPT_USERNAME, conf->smtp_user);
		curl_easy_setopt(curl, CURLOPT_PASSWORD, conf->smtp_password);
	}
	curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_smtp_progress);
	curl_easy_setopt(curl, CURLOPT_VERBOSE, 1L);
	curl_easy_setopt(curl, CURLOPT_DEBUGFUNCTION, on_debug);
	return curl;
}

/*
 * Only a reply to RCPT, DATA or the message itself concerns this mail alone; 421 (RFC 5321 section 4.2.3) and all
 * other failures (no connection, a bad certificate, no login, a refused sender) concern all mails.
 */
static enum send_result
judge_transfer(CURLcode rc, const struct exchange *exchange, const char *error, char *why, size_t room)
{
	bool this_mail = strcmp(exchange->command, "RCPT") == 0 || strcmp(exchange->command, "DATA") == 0;

	if (rc == CURLE_OK)
		return SEND_DONE;
	if (rc == CURLE_ABORTED_BY_CALLBACK)
		return SEND_STOPPED;
	if (!exchange->refusal[0]) {
		const char *reason = error[0] ? error : curl_easy_strerror(rc);
		copy_line(why, room, reason, strlen(reason));
		return SEND_DOWN;
	}
	snprintf(why, room, "after %s the server said: %s", exchange->command, exchange->refusal);
	if (!this_mail || strncmp(exchange->refusal, "421", 3) == 0)
		return SEND_DOWN;
	return exchange->refusal[0] == '5' ? SEND_REFUSED : SEND_LATER;
}

static enum send_result
transfer(const struct letter *letter, const struct curl_slist *to, FILE *message, char *why, size_t room)
{
	struct exchange exchange = { .stop = letter->stop, .message = message, .command = "connect" };
	char from[300], error[CURL_ERROR_SIZE] = "";

	snprintf(from, sizeof(from), "<%s>", letter->from);
	curl_easy_setopt(connection, CURLOPT_MAIL_FROM, from);
	curl_easy_setopt(connection, CURLOPT_MAIL_RCPT, to);
	curl_easy_setopt(connection, CURLOPT_INFILESIZE_LARGE, (curl_off_t)letter->length);
	curl_easy_setopt(connection, CURLOPT_READDATA, message);
	curl_easy_setopt(connection, CURLOPT_XFERINFODATA, &exchange);
	curl_easy_setopt(connection, CURLOPT_DEBUGDATA, &exchange);
	curl_easy_setopt(connection, CURLOPT_ERRORBUFFER, error);
	return judge_transfer(curl_easy_perform(connection), &exchange, error, why, room);
}

static enum send_result
send_smtp(const struct conf *conf, const struct letter *letter, char *why, size_t room)
{
	FILE *message = fmemopen((char *)letter->bytes, letter->length, "r");
	struct curl_slist *to = curl_slist_append(NULL, letter->to);
	enum send_result result = SEND_DOWN;

	if (!connection)
		connection = prepare_transfer(conf);
	if (message && to && connection)
		result = transfer(letter, to, message, why, room);
	else
		snprintf(why, room, "out of memory");
	if (message)
		fclose(message);
	curl_slist_free_all(to);
	return result;
}

/*
 * Sends QUIT. libcurl would wait for the reply, two minutes for a server that hangs; with the reading side shut down
 * there is none to wait for. What the callbacks use is freed already.
 */
static void
rest(void)
{
	curl_socket_t fd = CURL_SOCKET_BAD;

	if (!connection)
		return;
	if (curl_easy_getinfo(connection, CURLINFO_ACTIVESOCKET, &fd) == CURLE_OK && fd != CURL_SOCKET_BAD)
		shutdown(fd, SHUT_RD);
	curl_easy_setopt(connection, CURLOPT_VERBOSE, 0L);
	curl_easy_setopt(connection, CURLOPT_NOPROGRESS, 1L);
	curl_easy_setopt(connection, CURLOPT_ERRORBUFFER, NULL);
	curl_easy_cleanup(connection);
	connection = NULL;
}

const struct transport transport_smtp = { .name = "smtp", .send = send_smtp, .rest = rest };
