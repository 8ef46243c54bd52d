/* files - what the commands about stored files share. */
#ifndef OKUL_FILES_H
#define OKUL_FILES_H

#include "blob.h"
#include "okulctl.h"

/* ctl_conf() with the secret of the storage; NULL after reporting what is wrong. */
must_use const struct conf *ctl_files_conf(const char *data);
/* Where the bytes of a hash are, for a reader. */
void files_place(const struct conf *conf, const char *sha256, char out[static PATH_MAX]);
/* Reads a stored file: what is wrong with it; NULL: nothing. Valid until the next call. */
must_use const char *files_fault(const struct conf *conf, const char *sha256, int64_t size);

#endif
