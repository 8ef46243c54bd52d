/* The SQL functions that statements and triggers call. */
#include "sqlite.h"

#include "buf.h"
#include "email.h"
#include "fold.h"

/* Returns the text to SQLite and clears it. */
static void
put_result(sqlite3_context *context, struct buf *text)
{
	if (text->failed)
		sqlite3_result_error_nomem(context);
	else
		sqlite3_result_text(context, text->length ? text->s : "", (int)text->length, SQLITE_TRANSIENT);
	buf_clear(text);
}

/* okul_fold(a, b, ...): the texts that are not NULL, folded for search and sorting, with a space between. */
static void
run_fold(sqlite3_context *context, int count, sqlite3_value **values)
{
	struct buf folded = { 0 };

	for (int i = 0; i < count; i++) {
		const char *text = (const char *)sqlite3_value_text(values[i]);
		if (!text)
			continue;
		if (folded.length > 0)
			buf_putc(&folded, ' ');
		fold_text(&folded, text, (size_t)sqlite3_value_bytes(values[i]));
	}
	put_result(context, &folded);
}

/* okul_mailbox(address): email_mailbox() */
static void
run_mailbox(sqlite3_context *context, int count, sqlite3_value **values)
{
	const char *email = (const char *)sqlite3_value_text(values[0]);
	char text[EMAIL_TEXT];

	(void)count;
	if (!email)
		return;
	email_mailbox(text, email);
	sqlite3_result_text(context, text, -1, SQLITE_TRANSIENT);
}

/* okul_has_words(text, words): SQL_HAS_WORDS() of sql.h. */
static void
run_has_words(sqlite3_context *context, int count, sqlite3_value **values)
{
	const char *text = (const char *)sqlite3_value_text(values[0]), *words = (const char *)sqlite3_value_text(values[1]);

	(void)count;
	if (!words)
		sqlite3_result_int(context, 1);
	else if (text)
		sqlite3_result_int(context, fold_has_words(text, words, NULL));
}

/* okul_words_left(text, words): SQL_WORDS_LEFT(). */
static void
run_words_left(sqlite3_context *context, int count, sqlite3_value **values)
{
	const char *text = (const char *)sqlite3_value_text(values[0]), *words = (const char *)sqlite3_value_text(values[1]);
	struct buf left = { 0 };

	(void)count;
	if (!text || !words)
		return;
	fold_has_words(text, words, &left);
	put_result(context, &left);
}

int
functions_add(sqlite3 *sqlite)
{
	static const struct {
		const char *name;
		int args, flags;
		void (*run)(sqlite3_context *context, int count, sqlite3_value **values);
	} functions[] = {
		/* INNOCUOUS: the schema's triggers call them. */
		{ "okul_fold", -1, SQLITE_INNOCUOUS, run_fold },
		{ "okul_mailbox", 1, SQLITE_INNOCUOUS, run_mailbox },
		{ "okul_has_words", 2, 0, run_has_words },
		{ "okul_words_left", 2, 0, run_words_left },
	};
	int code = SQLITE_OK;
	for (size_t i = 0; i < COUNT(functions) && code == SQLITE_OK; i++)
		code = sqlite3_create_function(sqlite, functions[i].name, functions[i].args,
			SQLITE_UTF8 | SQLITE_DETERMINISTIC | functions[i].flags, NULL, functions[i].run, NULL, NULL);
	return code;
}
