/*
 * Mails as DATA/mail/<id>.eml, for development and tests. A file whose name ends in .eml is always complete.
 */
#include "mail_transport.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

static bool
write_eml(int file, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t n = write(file, bytes, length);
		if (n < 0 && errno != EINTR)
			return false;
		if (n > 0) {
			bytes += n;
			length -= (size_t)n;
		}
	}
	return true;
}

/* The folder DATA/mail, made where it is missing; -1 with errno set. */
static int
open_mail_folder(const char *data)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/mail", data) >= (int)sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return -1;
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static bool
write_aside(int folder, const char *name, const struct letter *letter)
{
	int file = openat(folder, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (file < 0)
		return false;
	bool good = write_eml(file, letter->bytes, letter->length) && fsync(file) == 0;
	int error = errno;
	close(file);
	errno = error;
	return good;
}

static enum send_result
send_to_file(const struct conf *conf, const struct letter *letter, char *why, size_t room)
{
	char name[64], aside[64];
	int folder = open_mail_folder(conf->data);
	bool good = false;

	snprintf(name, sizeof(name), "%s.eml", letter->id);
	snprintf(aside, sizeof(aside), ".%s.part", letter->id);
	if (folder >= 0)
		good = write_aside(folder, aside, letter) && renameat(folder, aside, folder, name) == 0 && fsync(folder) == 0;
	if (!good)
		snprintf(why, room, "%s/mail/%s: %m", conf->data, name);
	if (folder >= 0)
		close(folder);
	return good ? SEND_DONE : SEND_DOWN;
}

const struct transport transport_file = { .name = "file", .send = send_to_file };
