#include "serve.h"

#include "okulctl.h"
#include "setup.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#define TAIL_LINES 10
#define TAIL_BYTES 4096

/* ---- nginx.conf */

static struct sockaddr_in
local_address(int port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)
	};
}

static bool
is_port_free(int port)
{
	const struct sockaddr_in address = local_address(port);
	const int yes = 1;
	int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	/* As nginx does: connections of an earlier run in TIME_WAIT do not count. */
	setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	bool good = s >= 0 && bind(s, (const struct sockaddr *)&address, sizeof(address)) == 0;
	if (!good && errno == EADDRINUSE)
		ctl_error(EXIT_CONFIG, "port %d is taken by another program; choose another: make run PORT=%d", port,
			port < 65535 ? port + 1 : 8080);
	else if (!good && errno == EACCES)
		ctl_error(EXIT_CONFIG, "port %d is for root only; choose one from 1024 on: make run PORT=8080", port);
	else if (!good)
		ctl_error(EXIT_CONFIG, "port %d: %m", port);
	close(s);
	return good;
}

/* nginx.conf has the path without quotes, and these characters have a meaning there. */
static bool
is_plain_path(const char *path)
{
	return !strpbrk(path, "\"'\\$:;{}# \t\n") ||
		ctl_fail("%s: nginx takes no path with a space or \" ' \\ $ : ; { } #; choose another folder", path);
}

struct replacement {
	const char *old, *new;
};

static void
replace_all(struct buf *out, const char *text, const struct replacement *list)
{
	while (*text) {
		const struct replacement *r = list;
		while (r->old && strncmp(text, r->old, strlen(r->old)) != 0)
			r++;
		if (r->old) {
			buf_puts(out, r->new);
			text += strlen(r->old);
		} else {
			buf_putc(out, *text++);
		}
	}
}

/* Updates DATA/run/AS from a shipped file. Returns 1 when that changed it, 0 when not, -1 after reporting why not. */
static int
fill_in(const struct conf *conf, const char *name, const char *as, const struct replacement *list)
{
	char from[PATH_MAX], to[PATH_MAX];
	struct buf text = { 0 }, new = { 0 };
	int changed = -1;

	snprintf(from, sizeof(from), "%s/nginx/%s", conf->share, name);
	snprintf(to, sizeof(to), "%s/run/%s", conf->data, as);
	if (ctl_read_file(from, SIZE_MAX, &text)) {
		replace_all(&new, text.s, list);
		changed = !ctl_file_holds(to, &new);
		if (changed && !ctl_replace_file(to, &new, 0640))
			changed = -1;
	}
	if (changed < 0)
		ctl_error(EXIT_CONFIG, "%s cannot be made from %s: %m", to, from);
	buf_clear(&text);
	buf_clear(&new);
	return changed;
}

int
web_configure(const struct supervisor *sv)
{
	const struct conf *conf = sv->conf;
	char digits[8], run[PATH_MAX], upload[48];
	const struct replacement main_file[] = {
		{ "@PORT@", digits },
		{ "@DATA@", conf->data },
		/* When root runs this, it owns the sockets: nginx's workers have to be root, too. */
		{ "@USER@", geteuid() == 0 ? "user root;" : "" },
		{ "@LIMITS@", conf->limits ? "limit_conn okul_by_client 50; limit_conn okul_server 600;" : "" },
		{ NULL, NULL },
	};
	const struct replacement folders[] = {
		{ "client_max_body_size 100m", upload },
		{ "limit_conn ", conf->limits ? "limit_conn " : "#limit_conn " },
		{ "/run/okul", run },
		{ "/var/lib/okul", conf->data },
		{ "/usr/local/lib/okul/share", conf->share },
		{ NULL, NULL },
	};

	snprintf(digits, sizeof(digits), "%d", sv->port);
	snprintf(run, sizeof(run), "%s/run", conf->data);
	snprintf(upload, sizeof(upload), "client_max_body_size %lldm", (long long)conf->upload_request_limit);
	int a = fill_in(conf, "development.conf", "nginx.conf", main_file);
	int b = fill_in(conf, "common.conf", "nginx-common.conf", folders);
	int c = fill_in(conf, "locations.conf", "nginx-locations.conf", folders);
	int d = files_web_update(conf);
	return a < 0 || b < 0 || c < 0 || d < 0 ? -1 : a + b + c + d > 0;
}

bool
web_prepare(const struct supervisor *sv)
{
	return is_port_free(sv->port) && is_plain_path(sv->conf->data) && is_plain_path(sv->conf->share) &&
		web_configure(sv) >= 0;
}

bool
web_command(const struct supervisor *sv, const char *argv[static 5])
{
	/* The PATH of ordinary users has no sbin. */
	static const char *const places[] = {
		"/usr/sbin/nginx",
		"/usr/local/sbin/nginx",
		"/usr/bin/nginx",
		"/usr/local/bin/nginx",
		"/usr/local/nginx/sbin/nginx",
	};
	const char *data = sv->conf->data;

	for (size_t i = 0; i < COUNT(places) && !argv[0]; i++)
		if (access(places[i], X_OK) == 0)
			argv[0] = places[i];
	argv[1] = arena_format(sv->arena, "-p%s", data);
	argv[2] = arena_format(sv->arena, "-e%s/log/nginx-error.log", data);
	argv[3] = arena_format(sv->arena, "-c%s/run/nginx.conf", data);
	return argv[0] || ctl_fail("nginx is not installed; `make run` installs it, or run: apt-get install nginx");
}

int
web_health(int port)
{
	static const char request[] = "GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n";
	const struct sockaddr_in address = local_address(port);
	const struct timeval second = { .tv_sec = 1 };
	char response[16] = "";
	int status = 0;
	int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (s < 0)
		return 0;
	setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof(second));
	if (connect(s, (const struct sockaddr *)&address, sizeof(address)) == 0 &&
		send(s, request, sizeof(request) - 1, MSG_NOSIGNAL) == (ssize_t)sizeof(request) - 1 &&
		recv(s, response, sizeof(response) - 1, MSG_WAITALL) == (ssize_t)sizeof(response) - 1 &&
		sscanf(response, "HTTP/1.1 %3d", &status) != 1)
		status = 0;
	close(s);
	return status;
}

/* ---- output for the terminal */

/* An empty school has nobody who could make the first administrator. */
static void
print_setup(const struct conf *conf, int port)
{
	struct db *db = ctl_db(conf, DB_READ_ONLY);
	char code[SETUP_CODE_TEXT];

	if (db && setup_is_needed(db)) {
		setup_code(conf, code);
		printf("No administrator yet: the first one registers at\n  http://127.0.0.1:%d/app/#/setup?code=%s\n", port,
			code);
	}
	db_close(db);
}

void
web_welcome(const struct conf *conf, int port)
{
	printf("\nokul runs at http://127.0.0.1:%d and keeps its data in %s\n", port, conf->data);
	printf("Web app: http://127.0.0.1:%d/app/\n", port);
	print_setup(conf, port);
	if (conf->mail_transport == MAIL_FILE)
		printf("Mails are written to %s/mail/*.eml\n", conf->data);
	else
		printf("Mails are sent by %s\n", conf->mail_transport == MAIL_SMTP ? conf->smtp_host : conf->sendmail);
	printf("To log in, request a code, read it in the mail, send it back:\n\n");
	printf("  curl -H 'Content-Type: application/json' -d '{\"email\":\"user@example.com\"}' "
	       "http://127.0.0.1:%d/auth/otp/request\n\n",
		port);
	printf("  CODE=$(grep -hoE '^[0-9]{6}' $(ls -t %s/mail/*.eml | head -n 1) | head -n 1); echo $CODE\n\n", conf->data);
	printf("  curl -H 'Content-Type: application/json' -d \"{\\\"email\\\":\\\"user@example.com\\\","
	       "\\\"code\\\":\\\"$CODE\\\"}\" http://127.0.0.1:%d/auth/otp/verify\n\n",
		port);
	printf("Reference: http://127.0.0.1:%d/api/docs   Log: %s/log/okul.log   Ctrl-C stops.\n", port, conf->data);
	fflush(stdout);
}

void
web_log_tail(const char *path, int64_t from)
{
	char text[TAIL_BYTES + 1];
	size_t n = 0;
	FILE *file = fopen(path, "re");

	if (!file)
		return;
	if (fseek(file, 0, SEEK_END) == 0 && ftell(file) - from > TAIL_BYTES)
		from = ftell(file) - TAIL_BYTES;
	if (fseek(file, from, SEEK_SET) == 0)
		n = fread(text, 1, TAIL_BYTES, file);
	fclose(file);
	text[n] = '\0';
	const char *start = text + n;
	for (int lines = 0; start > text; start--)
		if (start[-1] == '\n' && ++lines > TAIL_LINES)
			break;
	fputs(start, stderr);
}
