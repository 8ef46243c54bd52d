/* Mails as DATA/mail/<id>.eml, for development and tests. A file whose name ends in .eml is always complete. */
#include "mail_transport.h"
#include "okulctl.h"

#include <errno.h>
#include <sys/stat.h>

static enum send_result
send_to_file(const struct conf *conf, const struct letter *letter, char *why, size_t room)
{
	const struct buf message = { .s = (char *)letter->bytes, .length = letter->length };
	char path[PATH_MAX + 64];

	snprintf(path, sizeof(path), "%s/mail", conf->data);
	bool good = mkdir(path, 0700) == 0 || errno == EEXIST;
	snprintf(path, sizeof(path), "%s/mail/%s.eml", conf->data, letter->id);
	if (good && ctl_replace_file(path, &message, 0600))
		return SEND_DONE;
	snprintf(why, room, "%s: %m", path);
	return SEND_DOWN;
}

const struct transport transport_file = { .name = "file", .send = send_to_file };
