/* demo_content - courses, settings and contact requests of the demo school. */
#include "demo.h"

#include "clock.h"
#include "contact.h"
#include "course.h"
#include "random.h"
#include "setting.h"

/* ---- courses */

/* clang-format off */
static const char *const levels[] = { "A1", "A2", "B1", "B2", "C1", "C2" };

/* Of each kind of course the title after "Deutsch B1 – ", and what it is. */
#define KINDS 5
static const struct offer {
	const char *name;
	struct { const char *title, *description; } kind[KINDS];
} offers[LANGUAGES] = {
	[TR] = { "Türkçe", {
		{ "Akşam kursu", "Haftada iki akşam, işten sonra. Konuşmaya ağırlık verilir; küçük sınıflarda en çok on iki kişi." },
		{ "Yoğun kurs", "Her gün dört ders. Kısa zamanda bir seviye ilerlemek isteyenler için." },
		{ "Hafta sonu", "Cumartesi ve pazar sabahları. Çay molası dahil." },
		{ "Çevrim içi", "Evinizden, canlı derslerle. Kayıtlar bir ay boyunca izlenebilir." },
		{ "Sınav hazırlığı", "Yeterlik sınavlarına hazırlık: örnek sınavlar ve birebir geri bildirim." } } },
	[EN] = { "English", {
		{ "Evening course", "Two evenings a week, after work. Much talking, in groups of twelve at most." },
		{ "Intensive course", "Four lessons every day, for those who want to climb a level quickly." },
		{ "Weekend", "Saturday and Sunday mornings, with a break for tea." },
		{ "Online", "From home, with a live teacher. Recordings can be watched for a month." },
		{ "Exam preparation", "Mock exams and personal feedback for IELTS, TOEFL and Cambridge exams." } } },
	[ES] = { "Español", {
		{ "Curso de tarde", "Dos tardes por semana, después del trabajo. Se habla mucho, en grupos de doce como máximo." },
		{ "Curso intensivo", "Cuatro clases al día, para quien quiera subir de nivel con rapidez." },
		{ "Fin de semana", "Sábados y domingos por la mañana, con una pausa para el café." },
		{ "En línea", "Desde casa, con clases en directo. Las grabaciones se pueden ver durante un mes." },
		{ "Preparación de exámenes", "Simulacros y comentarios personales para el DELE y el SIELE." } } },
	[DE] = { "Deutsch", {
		{ "Abendkurs", "Zwei Abende in der Woche, nach der Arbeit. Es wird viel gesprochen, in Gruppen bis zwölf." },
		{ "Intensivkurs", "Jeden Tag vier Stunden, für alle, die schnell eine Stufe weiter wollen." },
		{ "Wochenende", "Samstag- und Sonntagvormittag, mit einer Pause für Tee." },
		{ "Online", "Von zu Hause, mit Unterricht in Echtzeit. Aufzeichnungen stehen einen Monat lang bereit." },
		{ "Prüfungsvorbereitung", "Probeprüfungen und persönliche Rückmeldung für Goethe-Zertifikat und TestDaF." } } },
};

struct course {
	const char *id;
	struct value fields[COURSE_FIELDS];
	int64_t created, updated;
};
/* clang-format on */

static void
make_course(struct demo *d, int64_t i, void *row)
{
	enum language language = (enum language)(i % LANGUAGES);
	int64_t level = i / LANGUAGES % (int64_t)COUNT(levels), kind = (i / LANGUAGES + i / 24) % KINDS, round = i / (24 * KINDS);
	const struct offer *offer = &offers[language];
	/* In the order of creation; the last of a long list within the year. */
	int64_t created = d->start - 30 * DAY + (d->until - d->start) * i / (d->courses + 1) + demo_below(d, HOUR);
	double price = 2400 + 650 * (double)level +
		(kind == 1		    ? 1800
				: kind == 4 ? 900
					    : 0) +
		100 * (double)demo_below(d, 6) + 90;
	bool foreign = language != TR && kind == 3;
	const char *title = arena_format(d->batch, round ? "%s %s – %s (%lld)" : "%s %s – %s", offer->name, levels[level],
		offer->kind[kind].title, (long long)round + 1);
	struct course *course = row;

	*course = (struct course){ .id = demo_id(d, created),
		.created = created,
		.fields = { [COURSE_TITLE] = value_text(title),
			[COURSE_DESCRIPTION] = value_text(offer->kind[kind].description),
			[COURSE_LANGUAGE] = value_text(language_code(language)),
			[COURSE_LEVEL] = value_text(levels[level]),
			[COURSE_PRICE] = value_real(foreign ? (double)(int64_t)(price / 35) + .5 : price),
			[COURSE_CURRENCY] = value_text(foreign ? "EUR" : "TRY"),
			[COURSE_DURATION] = value_int(kind == 1 ? 4 : 12),
			[COURSE_ORDER] = value_int(i),
			[COURSE_PUBLISHED] = value_bool((i * 5 + 3) % 8 != 0) } };
	course->updated = created + demo_below(d, d->until - created);
}

static void
add_course(struct demo *d, int64_t i, const void *row)
{
	const struct course *course = row;
	struct db_rows *added;

	(void)i;
	(void)!course_add(d->db, &added, course->id, course->fields, course->created, course->updated);
	db_end(added);
}

enum db_rc
demo_make_courses(struct demo *d)
{
	demo_series(d, "courses");
	return demo_write(d, d->courses, &(struct demo_kind){ sizeof(struct course), 2000, make_course, add_course });
}

/* ---- settings */

static const struct setting settings[] = {
	{ "school.name", "\"Okul Dil Merkezi\"", true, "Name of the school", IS_PUBLIC },
	{ "school.address", "{\"street\":\"Bağdat Caddesi 1\",\"city\":\"İstanbul\",\"country\":\"TR\"}", true,
		"As on the contact page", IS_PUBLIC },
	{ "school.phone", "\"+90 216 555 01 23\"", true, "Front desk", IS_PUBLIC },
	{ "school.email", "\"info@example.com\"", true, NULL, IS_PUBLIC },
	{ "school.hours",
		"[{\"days\":\"Mon-Fri\",\"from\":\"09:00\",\"to\":\"21:00\"},{\"days\":\"Sat-Sun\",\"from\":\"10:00\",\"to\":\"17:00\"}]",
		true, "Opening hours", IS_PUBLIC },
	{ "home.hero",
		"{\"tr\":\"Bir dil, bir dünya.\",\"en\":\"One language, one world.\",\"es\":\"Un idioma, un mundo.\","
		"\"de\":\"Eine Sprache, eine Welt.\"}",
		true, "Headline of the start page", IS_PUBLIC },
	{ "home.languages", "[\"tr\",\"en\",\"es\",\"de\"]", true, "Languages of the site, in menu order", IS_PUBLIC },
	{ "home.showPrices", "true", true, NULL, IS_PUBLIC },
	{ "enrolment.discount", "{\"percent\":10,\"until\":\"end of month\"}", true, "Early birds", IS_PUBLIC },
	{ "office.targets", "{\"resultsPerMonth\":60,\"replyHours\":24}", true, "For the office only", IS_PRIVATE },
};

static void
add_setting(struct demo *d, int64_t i, const void *row)
{
	int64_t at = d->start - 5 * DAY + i * HOUR;

	(void)row;
	random_pretend(random_series(&d->chance), at);
	setting_put(d->db, at, &settings[i]);
}

enum db_rc
demo_make_settings(struct demo *d)
{
	demo_series(d, "settings");
	return demo_write(d, COUNT(settings), &(struct demo_kind){ .batch = COUNT(settings), .add = add_setting });
}

/* ---- contact */

#define TOPICS 5
static const struct {
	const char *subject, *message, *reply;
} topics[LANGUAGES][TOPICS] = {
	[TR] = { { "Kurs ücretleri", "Merhaba, akşam kurslarının ücreti ne kadar? Taksitle ödeyebilir miyim?",
			 "Merhaba, güncel ücretler kurs sayfamızda. Üç taksite kadar ödeyebilirsiniz." },
		{ "A1 başlangıç tarihi", "Bir sonraki A1 kursu ne zaman başlıyor? Hiç bilgim yok, baştan başlamak istiyorum.",
			"Yeni A1 grubu her ayın ilk pazartesi günü başlıyor. Sizi görmekten mutluluk duyarız." },
		{ "Seviye tespit sınavı", "Seviye sınavına tekrar girebilir miyim? İlkinde çok heyecanlandım.",
			"Elbette, sınava istediğiniz kadar girebilirsiniz." },
		{ NULL, "Hafta sonu kurslarında yer var mı?", "Evet, birkaç yerimiz var. Kayıt için bizi arayabilirsiniz." },
		{ "Belge", "Kursu bitirince sertifika veriyor musunuz?", "Evet, derslerin yüzde sekseniyle belge veriyoruz." } },
	[EN] = { { "Prices", "Hello, how much is the evening course, and can I pay by instalments?",
			 "Hello, the prices are on our courses page. You may pay in up to three instalments." },
		{ "Start of B1", "When does the next B1 course begin? I work until six.",
			"The next evening group begins on the first Monday of the month, at half past six." },
		{ "Placement test", "I ran out of time in the placement test. May I take it again?",
			"Of course. You may take it as often as you like." },
		{ NULL, "Do you have places left in the weekend course?", "Yes, a few. Give us a call and we keep one for you." },
		{ "IELTS", "Do you prepare for IELTS, and how long does it take from B2?",
			"We do. From B2 most people need about twelve weeks." } },
	[ES] = { { "Precios", "Hola, ¿cuánto cuesta el curso de tarde? ¿Puedo pagarlo a plazos?",
			 "Buenos días. Los precios están en la página de cursos; puede pagar en tres plazos." },
		{ "Comienzo del curso", "¿Cuándo empieza el próximo curso de turco para principiantes?",
			"El primer lunes de cada mes. Le esperamos." },
		{ "Prueba de nivel", "¿Puedo repetir la prueba de nivel?", "Por supuesto, tantas veces como quiera." },
		{ NULL, "¿Quedan plazas el fin de semana?", "Sí, quedan algunas. Llámenos y le reservamos una." },
		{ "Clases en línea", "¿Las clases en línea se graban?", "Sí, puede verlas durante un mes." } },
	[DE] = { { "Preise", "Guten Tag, was kostet der Abendkurs, und kann ich in Raten zahlen?",
			 "Guten Tag, die Preise stehen auf unserer Kursseite. Sie können in bis zu drei Raten zahlen." },
		{ "Kursbeginn", "Wann beginnt der nächste Türkischkurs für Anfänger?",
			"Am ersten Montag des Monats. Wir freuen uns auf Sie." },
		{ "Einstufungstest", "Darf ich den Einstufungstest wiederholen?", "Selbstverständlich, so oft Sie möchten." },
		{ NULL, "Gibt es noch Plätze im Wochenendkurs?", "Ja, einige wenige. Rufen Sie uns gern an." },
		{ "Prüfung", "Bereiten Sie auf das Goethe-Zertifikat vor?", "Ja, in unserem Kurs zur Prüfungsvorbereitung." } },
};
static const char *const sources[] = { "website", "website", "website", "instagram", "google", "friend" };

static void
make_contact(struct demo *d, int64_t i, void *row)
{
	int64_t created = demo_time(d), replied = created + HOUR + demo_below(d, 40 * HOUR);
	enum language language = demo_language(d);
	int64_t topic = demo_below(d, TOPICS), phone;
	const struct demo_name name = demo_name(d, language);
	struct contact_new *contact = row;

	(void)i;
	*contact = (struct contact_new){ .full_name = arena_format(d->batch, "%s %s", name.name, name.surname),
		.email = name.address,
		.language = language_code(language),
		.created_at = created,
		.replied_at = replied,
		.subject = topics[language][topic].subject,
		.message = topics[language][topic].message };
	/* Now and then one is forgotten. */
	if (demo_happens(d, .93) && replied < d->until)
		contact->reply = topics[language][topic].reply;
	if (demo_happens(d, .5)) {
		phone = demo_below(d, 10000000);
		contact->phone_number = arena_format(
			d->batch, "+90 532 %03d %02d %02d", (int)(phone / 10000), (int)(phone / 100 % 100), (int)(phone % 100));
	}
	if (demo_happens(d, .9))
		contact->source = DEMO_PICK(d, sources);
	contact->id = demo_id(d, created);
}

static void
add_contact(struct demo *d, int64_t i, const void *row)
{
	(void)i;
	contact_add(d->db, row);
}

enum db_rc
demo_make_contacts(struct demo *d)
{
	static const struct demo_kind kind = { sizeof(struct contact_new), 2000, make_contact, add_contact };

	demo_series(d, "contacts");
	demo_times(d, d->start, d->until, d->contacts);
	return demo_write(d, d->contacts, &kind);
}
