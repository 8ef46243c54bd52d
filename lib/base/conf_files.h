/* conf_files - the settings of files in S3, for conf.c. */
#ifndef OKUL_CONF_FILES_H
#define OKUL_CONF_FILES_H

#include "conf.h"

/*
 * Checks conf->files and the settings that it needs, but for the secret, and sets files_bucket, files_prefix and files_host,
 * which are NULL or allocated. False with what is wrong in `why`.
 */
must_use bool conf_parse_files(struct conf *conf, char *why, size_t room);

#endif
