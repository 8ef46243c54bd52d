/* demo_materials - materials of the demo school: PDFs that are written here, videos, and assignments. */
#include "demo.h"

#include "assignment.h"
#include "clock.h"
#include "file.h"
#include "material.h"
#include "random.h"
#include "utf8.h"

#define LINES 4

static const struct lesson {
	const char *title;
	enum language locale;
	const char *level, *description, *video;
	struct {
		const char *task, *solution;
	} line[LINES];
} lessons[] = {
	{ "Türk alfabesi ve okunuş", TR, "A1", "Yirmi dokuz harf, her birine bir örnek.", "Alfabe şarkısı",
		{ { "ç, ğ, ş harfleriyle birer kelime yazın.", "çay, dağ, şeker" },
			{ "I ve i: hangisi noktalı? __zmir, __ğdır", "İzmir, Iğdır" },
			{ "Okuyun: Öğretmen üzüm yiyor.", "(sesli okuma)" },
			{ "Kaç sesli harf var?", "sekiz: a e ı i o ö u ü" } } },
	{ "Büyük ünlü uyumu", TR, "A2", "Ekler nasıl seçilir: -lar mı, -ler mi?", NULL,
		{ { "ev__ (çoğul)", "evler" }, { "okul__ (çoğul)", "okullar" }, { "göz__ (çoğul)", "gözler" },
			{ "kapı__ (çoğul)", "kapılar" } } },
	{ "Haber metinleri", TR, "B1", "Kısa haberler ve sorular.", "Akşam haberleri",
		{ { "Metnin konusu nedir?", "hava durumu" }, { "Yağmur nerede bekleniyor?", "Karadeniz kıyılarında" },
			{ "Zıt anlamlısı: soğuk", "sıcak" }, { "Özetleyin (iki cümle).", "(serbest)" } } },
	{ "Everyday conversations", EN, "A1", "At the shop, at the station, on the phone.", "At the station",
		{ { "Can I ___ you?", "help" }, { "How ___ is it?", "much" }, { "A ticket ___ Oxford, please.", "to" },
			{ "See you ___ Monday.", "on" } } },
	{ "Present perfect or past simple?", EN, "B1", "When to use which, with forty sentences to practise.",
		"The present perfect",
		{ { "I ___ (see) him yesterday.", "saw" }, { "I ___ (never, be) to Rome.", "have never been" },
			{ "When ___ (you, arrive)?", "did you arrive" }, { "She ___ (live) here since May.", "has lived" } } },
	{ "Linking words in essays", EN, "C1", "However, moreover, albeit: what goes where.", NULL,
		{ { "It rained; ___, we went out.", "nevertheless" }, { "___ being late, he smiled.", "Despite" },
			{ "A short, ___ useful, note.", "albeit" }, { "___ to the report, sales fell.", "According" } } },
	{ "Artikel: der, die, das", DE, "A1", "Regeln, die meistens stimmen, und ihre Ausnahmen.",
		"Der, die, das in fünf Minuten",
		{ { "___ Mädchen", "das" }, { "___ Freiheit", "die" }, { "___ Frühling", "der" }, { "___ Büro", "das" } } },
	{ "Perfekt mit haben und sein", DE, "A2", "Bewegung, Veränderung und der ganze Rest.", NULL,
		{ { "Wir ___ nach Köln gefahren.", "sind" }, { "Er ___ gut geschlafen.", "hat" },
			{ "Sie ___ spät aufgewacht.", "ist" }, { "Ich ___ den Schlüssel gefunden.", "habe" } } },
	{ "Konjunktiv II im Alltag", DE, "B2", "Höflich bitten, wünschen, bereuen.", "Wenn ich du wäre",
		{ { "___ Sie mir bitte helfen? (können)", "Könnten" }, { "Wenn ich Zeit ___ (haben)", "hätte" },
			{ "Ich ___ lieber zu Hause. (bleiben)", "bliebe" }, { "Das ___ nicht nötig gewesen. (sein)", "wäre" } } },
	{ "Ser y estar", ES, "A1", "Dos verbos para una sola palabra.", "¿Ser o estar?",
		{ { "Yo ___ de Ankara.", "soy" }, { "Hoy ___ cansada.", "estoy" }, { "La niña ___ alta.", "es" },
			{ "¿Dónde ___ el baño?", "está" } } },
	{ "El pretérito indefinido", ES, "A2", "Lo que pasó ayer.", NULL,
		{ { "Ayer ___ (comer) paella.", "comí" }, { "¿Qué ___ (hacer) tú?", "hiciste" },
			{ "Ellos ___ (ir) al cine.", "fueron" }, { "Nosotros ___ (estar) allí.", "estuvimos" } } },
	{ "El subjuntivo presente", ES, "B2", "Deseos, dudas y emociones.", "Ojalá",
		{ { "Ojalá ___ (venir) pronto.", "venga" }, { "No creo que ___ (ser) verdad.", "sea" },
			{ "Espero que ___ (tener, tú) suerte.", "tengas" },
			{ "Quiero que me ___ (decir, usted) algo.", "diga" } } },
};

static const char *const worksheet[LANGUAGES] = {
	[TR] = "Alıştırmalar", [EN] = "Worksheet", [ES] = "Ejercicios", [DE] = "Arbeitsblatt"
};
static const char *const key[LANGUAGES] = { [TR] = "Çözümler", [EN] = "Answer key", [ES] = "Soluciones", [DE] = "Lösungen" };
static const char *const notes[LANGUAGES] = { [TR] = "Lütfen haftaya kadar çalışın.",
	[EN] = "Please work through it until next week.",
	[ES] = "Para la semana que viene, por favor.",
	[DE] = "Bitte bis nächste Woche durcharbeiten." };

/* ---- PDF (ISO 32000-1): one page, in a font that every reader has */

/* The code of a letter in the font, as in ISO 8859-9: Latin-1 with Turkish letters in the places of Icelandic ones. */
static int32_t
code_of(int32_t point)
{
	/* clang-format off */
	static const struct { int32_t point, code; } turkish[] = {	/* Ğ İ Ş ğ ı ş */
		{ 0x11e, 0xd0 }, { 0x130, 0xdd }, { 0x15e, 0xde }, { 0x11f, 0xf0 }, { 0x131, 0xfd }, { 0x15f, 0xfe },
	};
	/* clang-format on */

	for (size_t i = 0; i < COUNT(turkish); i++)
		if (point == turkish[i].point)
			return turkish[i].code;
	return point <= 0xff ? point : '?';
}

static void
put_pdf_line(struct buf *page, int size, int down, const char *text)
{
	buf_printf(page, "/F1 %d Tf 0 -%d Td (", size, down);
	for (size_t step, left = strlen(text); left > 0; text += step, left -= step)
		buf_printf(page, "\\%03o", (unsigned)code_of(utf8_first(text, left, &step)));
	buf_puts(page, ") Tj\n");
}

/* The exercises of a lesson, or their solutions. */
static struct buf
write_pdf(struct arena *arena, const struct lesson *lesson, bool solved)
{
	struct buf out = { .arena = arena }, page = { .arena = arena };
	const char *title = (solved ? key : worksheet)[lesson->locale];

	buf_puts(&page, "BT 60 800 Td\n");
	put_pdf_line(&page, 20, 20, lesson->title);
	put_pdf_line(&page, 12, 24, arena_format(arena, "%s - %s", lesson->level, title));
	for (int i = 0; i < LINES; i++)
		put_pdf_line(&page, 13, 34,
			arena_format(arena, "%d. %s", i + 1, solved ? lesson->line[i].solution : lesson->line[i].task));
	buf_puts(&page, "ET\n");

	const char *const objects[] = {
		"<</Type/Catalog/Pages 2 0 R>>",
		"<</Type/Pages/Kids[3 0 R]/Count 1>>",
		"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
		arena_format(arena, "<</Length %zu>>\nstream\n%sendstream", page.length, page.s),
		"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding 6 0 R>>",
		"<</Type/Encoding/BaseEncoding/WinAnsiEncoding"
		"/Differences[208/Gbreve 221/Idotaccent/Scedilla 240/gbreve 253/dotlessi/scedilla]>>",
	};
	size_t at[COUNT(objects)];
	buf_puts(&out, "%PDF-1.4\n%\xe2\xe3\xcf\xd3\n");
	for (size_t i = 0; i < COUNT(objects); i++) {
		at[i] = out.length;
		buf_printf(&out, "%zu 0 obj\n%s\nendobj\n", i + 1, objects[i]);
	}
	size_t table = out.length;
	buf_printf(&out, "xref\n0 %zu\n0000000000 65535 f \n", COUNT(objects) + 1);
	for (size_t i = 0; i < COUNT(objects); i++)
		buf_printf(&out, "%010zu 00000 n \n", at[i]);
	buf_printf(&out, "trailer\n<</Size %zu/Root 1 0 R>>\nstartxref\n%zu\n%%%%EOF\n", COUNT(objects) + 1, table);
	return out;
}

/* ---- materials */

/* Of each lesson the worksheet and, but for every third, its key. */
static struct blob pdfs[COUNT(lessons)][2];

static int
pdfs_of(int64_t lesson)
{
	return lesson % 3 == 2 ? 1 : 2;
}

/* Stores the bytes of a PDF as an upload does. */
static enum blob_rc
store_pdf(struct demo *d, const struct lesson *lesson, bool solved, struct blob *blob)
{
	struct buf pdf = write_pdf(d->batch, lesson, solved);
	enum blob_rc rc = blob_begin(d->conf, blob);

	if (rc == BLOB_DONE)
		rc = blob_write(blob, pdf.s, pdf.length);
	if (rc == BLOB_DONE)
		rc = blob_end(blob);
	if (rc == BLOB_DONE)
		rc = blob_keep(d->conf, blob);
	blob_drop(d->conf, blob);
	return rc;
}

static enum db_rc
store_pdfs(struct demo *d)
{
	enum blob_rc rc = BLOB_DONE;

	for (size_t i = 0; i < COUNT(lessons); i++)
		for (int n = 0; n < pdfs_of((int64_t)i) && rc == BLOB_DONE; n++)
			rc = store_pdf(d, &lessons[i], n > 0, &pdfs[i][n]);
	arena_reset(d->batch);
	return rc == BLOB_DONE ? DB_DONE : rc == BLOB_FULL ? DB_FULL : rc == BLOB_READONLY ? DB_READONLY : DB_BROKEN;
}

static const char *
videos_of(struct demo *d, const struct lesson *lesson, int64_t at, int64_t i)
{
	if (!lesson->video)
		return "[]";
	return arena_format(d->batch, "[{\"id\":\"%s\",\"title\":\"%s\",\"url\":\"https://example.com/videos/%lld\"}]",
		demo_id(d, at), lesson->video, (long long)i + 101);
}

struct lesson_row {
	const char *id;
	int64_t at;
	struct material material;
};

static void
make_material(struct demo *d, int64_t i, void *out)
{
	const struct lesson *lesson = &lessons[i];
	int64_t at = d->start - ((int64_t)COUNT(lessons) - i) * DAY + 7 * HOUR + demo_below(d, 8 * HOUR);
	struct lesson_row *row = out;

	*row = (struct lesson_row){ .at = at,
		.material = { lesson->title, lesson->description, language_code(lesson->locale), videos_of(d, lesson, at, i),
			.level = lesson->level } };
	row->id = demo_id(d, at);
}

static void
add_material(struct demo *d, int64_t i, const void *in)
{
	const struct lesson *lesson = &lessons[i];
	const struct lesson_row *row = in;
	int64_t pk = 0;

	(void)!material_add(d->db, row->id, &row->material, row->at, &pk);
	for (int n = 0; n < pdfs_of(i); n++) {
		const char *title = (n > 0 ? key : worksheet)[lesson->locale];
		const char *name = arena_format(d->batch, "%s - %s.pdf", lesson->title, title);
		struct file_row file = { .type = MEDIA_PDF, .name = name };

		random_pretend(random_series(&d->chance), row->at);
		/* Where it fails, the next statement does: it finds no such file. */
		(void)!file_add(d->db, d->conf, &pdfs[i][n], &file, row->at);
		material_add_pdf(d->db, demo_id(d, row->at), pk, file.key, title);
		d->files++;
	}
	d->materials++;
}

/* ---- assignments */

static void
make_assignment(struct demo *d, int64_t i, void *row)
{
	int64_t at = demo_time(d), material = demo_below(d, COUNT(lessons));
	struct demo_user *user = demo_learner(d, at);
	const struct demo_user *teacher = &d->user[3 + demo_below(d, d->staff - 3)];
	int64_t opened = at + 10 * MINUTE + demo_below(d, 6 * DAY);
	bool is_opened = demo_happens(d, .7) && opened < d->until, has_note = demo_happens(d, .3);

	(void)i;
	if (!user)
		return;
	/* `lessons` are the only materials, so a material's key is its place among them. */
	*(struct assignment *)row = (struct assignment){ material + 1, user->pk, teacher->pk, at, is_opened ? opened : 0,
		has_note ? notes[user->language] : NULL };
	if (is_opened && user->last_login < opened)
		user->last_login = opened;
}

static void
add_assignment(struct demo *d, int64_t i, const void *row)
{
	const struct assignment *assignment = row;

	(void)i;
	if (!assignment->user || !assignment_add(d->db, assignment))
		return;
	d->assignments++;
	d->opened += assignment->opened_at != 0;
}

enum db_rc
demo_make_materials(struct demo *d)
{
	static const struct demo_kind materials = { sizeof(struct lesson_row), 1, make_material, add_material };
	static const struct demo_kind given = { sizeof(struct assignment), 2000, make_assignment, add_assignment };
	enum db_rc rc = store_pdfs(d);

	demo_series(d, "materials");
	if (rc == DB_DONE)
		rc = demo_write(d, COUNT(lessons), &materials);
	if (rc != DB_DONE)
		return rc;
	demo_series(d, "assignments");
	demo_times(d, d->start, d->until, d->users * 9 / 10);
	return demo_write(d, d->users * 9 / 10, &given);
}
