/*
 * multipart - form data with files (RFC 7578, RFC 2046 section 5.1), read as it comes in, in memory of a fixed size.
 *
 *	if (!multipart_boundary(content_type, boundary))
 *		return bad_request;
 *	multipart_init(&m, boundary, &handlers, &upload);
 *	while ((n = read_some(bytes)) > 0 && multipart_feed(&m, bytes, n) == MULTIPART_GOOD)
 *		;
 *	if (!multipart_complete(&m))
 *		return bad_request;	(or what a handler that stopped the parse has to say)
 *
 * How the body falls into pieces makes no difference but to where data() is cut. What the handlers got is worth nothing
 * before multipart_complete(): the body may break off, or turn out broken, behind a part that has ended.
 */
#ifndef OKUL_MULTIPART_H
#define OKUL_MULTIPART_H

#include "base.h"

#define MULTIPART_BOUNDARY_MAX 70	/* bytes (RFC 2046 section 5.1.1) */
#define MULTIPART_HEAD_MAX 8192		/* bytes of the header lines of a part, the empty line included */
#define MULTIPART_PARTS_MAX 256

enum multipart_result {
	MULTIPART_GOOD,			/* so far: see multipart_complete() */
	MULTIPART_BROKEN,		/* the body is no multipart/form-data, or goes beyond the limits above */
	MULTIPART_STOPPED,		/* a handler gave false */
};

/*
 * What a part says of itself, valid until end() has returned. Name and type are well-formed UTF-8 without control characters
 * but tabs.
 */
struct multipart_part {
	const char *name;		/* of the field, as the client sent it; never empty */
	/*
	 * NULL: a plain field. Else a file: what the client calls it, with folders, in any encoding, with any bytes but NUL;
	 * "" of a file field left empty in a browser. link_file_name() makes a name of it.
	 */
	const char *file_name;
	const char *content_type;	/* as the client claims, not checked; NULL when it says nothing */
};

/* Each is called with the context; false ends the parse. data() comes any number of times, never with 0 bytes. */
struct multipart_handlers {
	bool (*begin)(void *context, const struct multipart_part *part);
	bool (*data)(void *context, const void *bytes, size_t length);	/* bytes are valid during the call */
	bool (*end)(void *context);
};

/* The caller's, a little over MULTIPART_HEAD_MAX bytes, nothing to give back. The fields are its own. */
struct multipart {
	const struct multipart_handlers *handlers;
	void *context;
	enum multipart_result result;
	int state;
	size_t parts;
	char delimiter[4 + MULTIPART_BOUNDARY_MAX + 1];	/* CRLF, two dashes, the boundary */
	size_t delimiter_length;
	size_t matched;			/* bytes of the delimiter that the last piece ended with: not yet passed on */
	size_t foreign;			/* so many of them belong to what stands before the data */
	size_t head_length;
	char head[MULTIPART_HEAD_MAX];
};

/*
 * The boundary of a Content-Type, quoted or not. False when that is no multipart/form-data (in any case of letters), or
 * has no boundary, two, or one that is none: 1 to MULTIPART_BOUNDARY_MAX characters of RFC 2046, the last no space.
 */
must_use bool multipart_boundary(const char *content_type, char out[static MULTIPART_BOUNDARY_MAX + 1]);

/* `boundary` is one that multipart_boundary() gave, and copied; handlers and context are borrowed. */
void multipart_init(struct multipart *m, const char *boundary, const struct multipart_handlers *handlers,
	void *context);

/*
 * The next piece, of any length. Once the result is not MULTIPART_GOOD it stays, and no handler is called any more.
 *
 * Ignored: what stands before the first boundary and behind the last, blanks behind a boundary, header lines other than
 * Content-Disposition and Content-Type. In a quoted name \" and \\ and %22 stand for " \ and ", all else for itself;
 * filename* (RFC 8187, UTF-8) goes before filename when it is well-formed.
 *
 * Broken: a line that ends with LF or CR alone; a NUL; anything behind a boundary on its line; a header line that is
 * folded, has no name, or has control characters elsewhere than in the name of a file; a part without name, or with Content-Disposition, Content-Type or a parameter of
 * the former twice; names of fields that are no UTF-8; a Content-Transfer-Encoding that would have to be undone (RFC 7578 section
 * 4.7 deprecates it: HTTP carries any bytes).
 */
must_use enum multipart_result multipart_feed(struct multipart *m, const void *bytes, size_t length);

/* All went well and the closing boundary was seen: the body is whole. */
bool multipart_complete(const struct multipart *m);

#endif
