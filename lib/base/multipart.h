/*
 * multipart - a push parser of form data with files (RFC 7578, RFC 2046 section 5.1), in memory of a fixed size.
 *
 *	if (!multipart_boundary(content_type, boundary))
 *		return bad_request;
 *	multipart_init(&m, boundary, &handlers, &upload);
 *	while ((n = read_some(bytes)) > 0 && multipart_feed(&m, bytes, n) == MULTIPART_GOOD)
 *		;
 *	if (!multipart_complete(&m))
 *		return bad_request;	(or the error of a handler that stopped the parser)
 *
 * The pieces in which the body arrives affect only where data() is split. Discard what the handlers got unless
 * multipart_complete(): the body may be truncated or malformed after a part that has ended.
 */
#ifndef OKUL_MULTIPART_H
#define OKUL_MULTIPART_H

#include "base.h"

#define MULTIPART_BOUNDARY_MAX 70	/* bytes (RFC 2046 section 5.1.1) */
#define MULTIPART_HEAD_MAX 8192		/* bytes of the header lines of a part, the empty line included */
#define MULTIPART_PARTS_MAX 256

enum multipart_result {
	MULTIPART_GOOD,			/* so far: see multipart_complete() */
	MULTIPART_BROKEN,		/* the body is not multipart/form-data, or exceeds the limits above */
	MULTIPART_STOPPED,		/* a handler returned false */
};

/* The header of a part, valid until end() has returned. Name and type are UTF-8, tab their only control character. */
struct multipart_part {
	const char *name;		/* of the field; never empty */
	/*
	 * NULL: a plain field. Else the name of a file as the client sent it, with folders, in any encoding, any bytes
	 * but NUL; "" for a file field left empty in a browser. See link_file_name().
	 */
	const char *file_name;
	const char *content_type;	/* as the client claims, not checked; NULL when missing */
};

/* Called with the context; false stops the parser. data() is called any number of times, never with 0 bytes. */
struct multipart_handlers {
	bool (*begin)(void *context, const struct multipart_part *part);
	bool (*data)(void *context, const void *bytes, size_t length);	/* bytes are valid during the call */
	bool (*end)(void *context);
};

/* The fields are private. A little over MULTIPART_HEAD_MAX bytes; nothing to free. */
struct multipart {
	const struct multipart_handlers *handlers;
	void *context;
	enum multipart_result result;
	int state;
	size_t parts;
	char delimiter[4 + MULTIPART_BOUNDARY_MAX + 1];	/* CRLF, two dashes, the boundary */
	size_t delimiter_length;
	size_t matched;			/* bytes of the delimiter that the last piece ended with: not yet passed on */
	size_t foreign;			/* of these, the first ones that are not part of the data */
	size_t head_length;
	char head[MULTIPART_HEAD_MAX];
};

/*
 * The boundary of a Content-Type, quoted or not. False when that is not multipart/form-data (case-insensitive), or its
 * boundary is missing, repeated or malformed: 1 to MULTIPART_BOUNDARY_MAX characters of RFC 2046, the last not a space.
 */
must_use bool multipart_boundary(const char *content_type, char out[static MULTIPART_BOUNDARY_MAX + 1]);

/* `boundary`, of multipart_boundary(), is copied; handlers and context are borrowed. */
void multipart_init(struct multipart *m, const char *boundary, const struct multipart_handlers *handlers,
	void *context);

/*
 * Parses the next piece, of any length. After another result than MULTIPART_GOOD, it returns the same and calls no
 * handler.
 *
 * Ignored: text before the first boundary and after the last, blanks after a boundary, header lines other than
 * Content-Disposition and Content-Type. In a quoted name \" and \\ and %22 are " \ and ", all else is literal;
 * filename* (RFC 8187, UTF-8) has priority over filename when it is well-formed.
 *
 * Broken: a line that ends with LF or CR alone; a NUL; other text after a boundary on its line; a header line that is
 * folded, has no name, or has control characters elsewhere than in the name of a file; a part without name;
 * Content-Disposition, Content-Type or a parameter of the former twice; names of fields that are not UTF-8; a
 * Content-Transfer-Encoding that would have to be decoded (RFC 7578 section 4.7 deprecates it: HTTP carries any bytes).
 */
must_use enum multipart_result multipart_feed(struct multipart *m, const void *bytes, size_t length);

/* True when the closing boundary was read without an error: the body is complete. */
bool multipart_complete(const struct multipart *m);

#endif
