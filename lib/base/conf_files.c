/* The settings of files in S3. */
#include "conf.h"

#include "text.h"

#include <sys/stat.h>

struct place {
	struct conf *conf;
	char *why;
	size_t room;
};

static bool
set_string(const struct place *source, const char **place, const char *text, size_t length)
{
	char *copy = strndup(text, length);

	free((char *)*place);
	*place = copy;
	return copy || text_complain(source->why, source->room, "out of memory");
}

/* Not empty, and no byte in it that a URL or a signature would have to escape. */
static bool
is_plain(const char *text, size_t length, const char *marks)
{
	for (size_t i = 0; i < length; i++)
		if (!strchr(TEXT_ALPHA TEXT_DIGITS, text[i]) && !strchr(marks, text[i]))
			return false;
	return length > 0;
}

static bool
parse_bucket(const struct place *source, const char *text)
{
	struct conf *conf = source->conf;
	size_t bucket = strcspn(text, "/");
	const char *prefix = text[bucket] ? text + bucket + 1 : "";
	size_t length = strlen(prefix);

	while (length > 0 && prefix[length - 1] == '/')
		length--;
	if (bucket < 3 || bucket > 63 || !is_plain(text, bucket, ".-_") || prefix[0] == '/' || strstr(prefix, "//") ||
		length > 100 || (length > 0 && !is_plain(prefix, length, "._-/")))
		return text_complain(source->why, source->room,
			"files = %s: must be s3://bucket or s3://bucket/prefix, of letters, digits and - _ . /, or empty for %s/files",
			conf->files, conf->data);
	char path[128];
	int n = snprintf(path, sizeof(path), "%.*s%s", (int)length, prefix, length > 0 ? "/" : "");
	return set_string(source, &conf->files_bucket, text, bucket) && set_string(source, &conf->files_prefix, path, (size_t)n);
}

/* http:// shows a reader of the network each file, and lets him use each signed URL: so only on this machine. */
static bool
parse_endpoint(const struct place *source)
{
	struct conf *conf = source->conf;
	const char *text = conf->files_endpoint;
	bool tls = strncmp(text, "https://", 8) == 0, plain = strncmp(text, "http://", 7) == 0;
	const char *host = text + (tls ? 8 : 7);
	size_t length = strlen(text), name = tls || plain ? strcspn(host, ":/") : 0;

	while (length > 0 && text[length - 1] == '/')
		length--;
	if (name == 0 || (size_t)(text + length - host) < name || !is_plain(host, (size_t)(text + length - host), ".-:"))
		return text_complain(source->why, source->room,
			"files_endpoint = %s: must be the address of the storage, like https://s3.example.org", text);
	bool here = name == 9 && (memcmp(host, "127.0.0.1", name) == 0 || memcmp(host, "localhost", name) == 0);
	if (plain && !here)
		return text_complain(source->why, source->room,
			"files_endpoint = %s: must begin with https:// (http:// is for 127.0.0.1 only)", text);
	/* Nobody sends the scheme's own port in Host. */
	size_t end = (size_t)(text + length - host), port = tls ? 4 : 3;
	if (end > port && strncmp(host + end - port, tls ? ":443" : ":80", port) == 0)
		end -= port;
	((char *)text)[length] = '\0'; /* of set_string() */
	return set_string(source, &conf->files_host, host, end);
}

bool
conf_parse_files(struct conf *conf, char *why, size_t room)
{
	const struct place place = { conf, why, room }, *source = &place;

	if (!conf->files[0])
		return set_string(source, &conf->files_bucket, "", 0) && set_string(source, &conf->files_prefix, "", 0) &&
			set_string(source, &conf->files_host, "", 0);
	if (strncmp(conf->files, "s3://", 5) != 0)
		return text_complain(source->why, source->room,
			"files = %s: must be like s3://bucket, or empty for the folder %s/files", conf->files, conf->data);
	if (!conf->files_endpoint[0] || !conf->files_key_id[0])
		return text_complain(source->why, source->room,
			"files is set, and %s is not; set files_endpoint, files_key_id and files_secret too",
			conf->files_endpoint[0] ? "files_key_id" : "files_endpoint");
	if (!is_plain(conf->files_region, strlen(conf->files_region), "-_"))
		return text_complain(
			source->why, source->room, "files_region = %s: must be a word like us-east-1", conf->files_region);
	if (!is_plain(conf->files_key_id, strlen(conf->files_key_id), "-_.@:+="))
		return text_complain(
			source->why, source->room, "files_key_id = %s: holds a character that no key id has", conf->files_key_id);
	const char *ca = conf->files_ca;
	if (ca[0] && (ca[0] != '/' || !is_plain(ca, strlen(ca), "/._-+@")))
		return text_complain(source->why, source->room,
			"files_ca = %s: must be the path of a file, like /etc/ssl/storage.pem, of letters, digits and / . _ - + @",
			ca);
	return parse_bucket(source, conf->files + 5) && parse_endpoint(source);
}

const struct conf *
conf_with_files(const struct conf *conf, const char *files, char *why, size_t room)
{
	static struct conf copy;
	const struct place source = { &copy, why, room };

	copy = *conf;
	/* What conf_parse_files() sets or changes must not be shared. */
	copy.files = copy.files_bucket = copy.files_prefix = copy.files_host = copy.files_endpoint = NULL;
	bool good = set_string(&source, &copy.files, files, strlen(files)) &&
		set_string(&source, &copy.files_endpoint, conf->files_endpoint, strlen(conf->files_endpoint)) &&
		conf_parse_files(&copy, why, room);
	return good ? &copy : NULL;
}

bool
conf_check_files_secret(const struct conf *conf, char *why, size_t room)
{
	char path[PATH_MAX];
	struct stat st;

	if (!conf->files_bucket[0])
		return true;
	snprintf(path, sizeof(path), "%s/okul.conf", conf->data);
	if (!conf->files_secret[0])
		return text_complain(why, room, "files is %s, and files_secret is not set; set it in %s", conf->files, path);
	return getenv("OKUL_FILES_SECRET") || stat(path, &st) != 0 || !(st.st_mode & (S_IRWXG | S_IRWXO)) ||
		text_complain(why, room, "files_secret in %s can be read by other users (mode %04o); run: chmod 600 %s", path,
			st.st_mode & 07777, path);
}
