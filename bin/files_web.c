/*
 * DATA/files-s3.conf: for nginx, the address of the storage that files are in, as a location of its own (conf/nginx/s3.conf).
 * The address stands in proxy_pass as it is: no request can name another.
 */
#include "okulctl.h"

#include <errno.h>
#include <unistd.h>

static void
make_location(const struct conf *conf, char path[static PATH_MAX], struct buf *text)
{
	snprintf(path, PATH_MAX, "%s/files-s3.conf", conf->data);
	buf_puts(text, "# made by `okulctl migrate` from files and files_endpoint of okul.conf\n");
	if (!conf->files_bucket[0])
		return;
	buf_printf(text, "location /_s3/%s/ {\n\tinternal;\n\tinclude %s/nginx/s3.conf;\n", conf->files_bucket, conf->share);
	if (strncmp(conf->files_endpoint, "https:", 6) == 0)
		buf_printf(text,
			"\tproxy_ssl_protocols TLSv1.2 TLSv1.3;\n\tproxy_ssl_server_name on;\n\tproxy_ssl_verify on;\n"
			"\tproxy_ssl_verify_depth 4;\n\tproxy_ssl_trusted_certificate \"%s\";\n",
			conf->files_ca[0] ? conf->files_ca : "/etc/ssl/certs/ca-certificates.crt");
	buf_printf(text, "\trewrite ^/_s3(/.*)$ $1 break;\n\tproxy_pass %s;\n}\n", conf->files_endpoint);
}

int
files_web_update(const struct conf *conf)
{
	char path[PATH_MAX];
	struct buf text = { 0 };
	int changed = 0;

	make_location(conf, path, &text);
	bool needed = conf->files_bucket[0] || access(path, F_OK) == 0;
	if (needed && !ctl_file_holds(path, &text)) {
		changed = ctl_replace_file(path, &text, 0640) ? 1 : -1; /* the web server is in the group */
		if (changed < 0)
			ctl_error(EXIT_CONFIG, "%s cannot be written: %m", path);
	}
	buf_clear(&text);
	return changed;
}
