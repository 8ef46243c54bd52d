/*
 * Mails as DATA/mail/<id>.eml, for development and tests. A file whose name ends in .eml is always complete.
 */
#include "mail_transport.h"

#include "db_admin.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

static bool
write_eml(const char *path, const struct letter *letter)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "w");

	if (!file)
		return false;
	bool good = fwrite(letter->bytes, 1, letter->length, file) == letter->length;
	return fclose(file) == 0 && good && db_sync(path);
}

static enum send_result
send_to_file(const struct conf *conf, const struct letter *letter, char *why, size_t room)
{
	char folder[PATH_MAX + 8], path[PATH_MAX + 64], aside[PATH_MAX + 64];

	snprintf(folder, sizeof(folder), "%s/mail", conf->data);
	snprintf(path, sizeof(path), "%s/mail/%s.eml", conf->data, letter->id);
	snprintf(aside, sizeof(aside), "%s/mail/.%s.part", conf->data, letter->id);
	if ((mkdir(folder, 0700) == 0 || errno == EEXIST) && write_eml(aside, letter) && rename(aside, path) == 0 && db_sync(folder))
		return SEND_DONE;
	snprintf(why, room, "%s: %m", path);
	return SEND_DOWN;
}

const struct transport transport_file = { .name = "file", .send = send_to_file };
