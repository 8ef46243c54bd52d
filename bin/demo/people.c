/* demo_people - the people of the demo school: names, users, last logins. */
#include "demo.h"

#include "clock.h"
#include "fold.h"
#include "json_write.h"
#include "random.h"
#include "user.h"

#define YEAR (365 * DAY + DAY / 4)
#define SUPERADMIN "superadmin@example.com"

struct people {
	const char *const women[16], *const men[16], *const surnames[28];
	const char *zone, *country_code, *mobile; /* mobile: how a number begins; eight digits follow */
	double share;
};

static const struct people people[LANGUAGES] = {
	[TR] = { { "Ayşe", "Fatma", "Zeynep", "Elif", "Merve", "Büşra", "Esra", "Özlem", "Gülşah", "Şule", "Ceren", "Defne",
			 "İpek", "Nazlı", "Selin", "Tuğba" },
		{ "Mehmet", "Mustafa", "Ahmet", "Emre", "Burak", "Can", "Cem", "Deniz", "Eren", "Furkan", "Görkem", "Hakan",
			"İbrahim", "Kaan", "Kerem", "Murat" },
		{ "Yılmaz", "Kaya", "Demir", "Şahin", "Çelik", "Yıldız", "Yıldırım", "Öztürk", "Aydın", "Özdemir", "Arslan",
			"Doğan", "Kılıç", "Aslan", "Çetin", "Kara", "Koç", "Kurt", "Özkan", "Şimşek", "Polat", "Korkmaz", "Çakır",
			"Erdoğan", "Acar", "Güneş", "Aktaş", "Bulut" },
		"Europe/Istanbul", "90", "53", .56 },
	[DE] = { { "Anna", "Lena", "Laura", "Katharina", "Julia", "Sophie", "Marie", "Lea", "Hannah", "Johanna", "Charlotte",
			 "Franziska", "Greta", "Heike", "Ingrid", "Jana" },
		{ "Lukas", "Felix", "Jonas", "Maximilian", "Paul", "Leon", "Finn", "Elias", "Moritz", "Niklas", "Tobias",
			"Sebastian", "Florian", "Jürgen", "Klaus", "Matthias" },
		{ "Müller", "Schmidt", "Schneider", "Fischer", "Weber", "Meyer", "Wagner", "Becker", "Schulz", "Hoffmann",
			"Schäfer", "Koch", "Bauer", "Richter", "Klein", "Wolf", "Schröder", "Neumann", "Schwarz", "Zimmermann",
			"Braun", "Krüger", "Hofmann", "Hartmann", "Lange", "Werner", "Krause", "Lehmann" },
		"Europe/Berlin", "49", "151", .16 },
	[ES] = { { "María", "Carmen", "Lucía", "Ana", "Isabel", "Sofía", "Paula", "Elena", "Cristina", "Marta", "Pilar", "Raquel",
			 "Begoña", "Rocío", "Inés", "Silvia" },
		{ "José", "Antonio", "Manuel", "Francisco", "Javier", "Carlos", "Miguel", "Alejandro", "Pablo", "Sergio", "Jorge",
			"Alberto", "Álvaro", "Diego", "Adrián", "Rubén" },
		{ "García", "González", "Rodríguez", "Fernández", "López", "Martínez", "Sánchez", "Pérez", "Gómez", "Jiménez",
			"Ruiz", "Hernández", "Díaz", "Moreno", "Muñoz", "Álvarez", "Romero", "Alonso", "Gutiérrez", "Navarro",
			"Torres", "Domínguez", "Vázquez", "Ramos", "Gil", "Ramírez", "Serrano", "Blanco" },
		"Europe/Madrid", "34", "6", .12 },
	[EN] = { { "Emma", "Olivia", "Amelia", "Isla", "Grace", "Ruby", "Emily", "Chloe", "Lily", "Evie", "Alice", "Harriet",
			 "Daisy", "Florence", "Matilda", "Rosie" },
		{ "Oliver", "George", "Harry", "Jack", "Noah", "Arthur", "Charlie", "Henry", "James", "William", "Edward",
			"Alfie", "Benjamin", "Callum", "Dylan", "Ethan" },
		{ "Smith", "Jones", "Taylor", "Brown", "Williams", "Wilson", "Johnson", "Davies", "Robinson", "Wright",
			"Thompson", "Evans", "Walker", "White", "Roberts", "Green", "Hall", "Wood", "Jackson", "Clarke", "Harris",
			"Lewis", "Clark", "Cooper", "Ward", "Turner", "Hill", "Moore" },
		"Europe/London", "44", "77", .16 },
};

static const char *const domains[] = { "example.com", "example.org", "example.net" };
static const char *const interests[] = { "music", "travel", "cinema", "cooking", "football", "reading", "hiking", "photography",
	"chess", "theatre", "history", "gardening" };
static const char *const trades[] = { "engineer", "nurse", "student", "lawyer", "designer", "teacher", "accountant", "tour guide",
	"software developer", "translator", "physician", "salesperson" };
static const char *const sources[] = { "google", "instagram_ads", "friend", "website" };

enum language
demo_language(struct demo *d)
{
	double at = demo_real(d);

	for (enum language language = 0; language < LANGUAGES; language++)
		if ((at -= people[language].share) < 0)
			return language;
	return TR;
}

/* ---- names */

/* "Ayşe Işık" as ayse.isik. */
static const char *
make_handle(struct demo *d, const struct demo_name *name)
{
	struct buf folded = { .arena = d->batch };
	char *handle = arena_alloc(d->batch, 21);
	size_t length = 0;

	fold_text(&folded, name->name, strlen(name->name));
	buf_putc(&folded, '.');
	fold_text(&folded, name->surname, strlen(name->surname));
	for (const char *c = folded.s; *c && length < 20; c++)
		if ((*c >= 'a' && *c <= 'z') || *c == '.')
			handle[length++] = *c;
	return handle;
}

struct demo_name
demo_name(struct demo *d, enum language language)
{
	const struct people *of = &people[language];
	struct demo_name name = { .female = demo_happens(d, .56) };

	name.name = name.female ? DEMO_PICK(d, of->women) : DEMO_PICK(d, of->men);
	name.surname = DEMO_PICK(d, of->surnames);
	name.handle = make_handle(d, &name);
	const char *domain = DEMO_PICK(d, domains);
	name.address = arena_format(d->batch, "%s%lld@%s", name.handle, (long long)demo_below(d, 90) + 10, domain);
	return name;
}

/* ---- users */

#define USED_ROOM (1 << 20)

static uint16_t *used; /* how often a handle was used, by its hash: two with the same hash skip numbers */

/* The first ayse.isik is that, the next ayse.isik2. */
static struct demo_name
unique_name(struct demo *d, enum language language)
{
	static const unsigned char key[HASH_KEY] = "okul demo handle";
	struct demo_name name = demo_name(d, language);
	uint16_t times = ++used[random_hash_keyed(key, name.handle, strlen(name.handle)) % USED_ROOM];

	if (times > 1)
		name.handle = arena_format(d->batch, "%s%d", name.handle, times);
	name.address = arena_format(d->batch, "%s@%s", name.handle, DEMO_PICK(d, domains));
	return name;
}

/* As JSON. */
static const char *
pick_interests(struct demo *d)
{
	struct buf text = { .arena = d->batch };
	size_t first = (size_t)demo_below(d, COUNT(interests));

	json_put_list(&text, NULL);
	for (size_t i = 0; i <= first % 3; i++)
		json_put_text(&text, NULL, interests[(first + i * 5) % COUNT(interests)]);
	json_put_end_list(&text);
	return text.s;
}

/* What people write about themselves when they register, and some later. */
static void
describe(struct demo *d, const struct demo_user *user, const struct demo_name *name, struct user_new *row)
{
	const struct people *of = &people[user->language];
	char date[11];

	row->profile[USER_TIMEZONE] = value_text(of->zone);
	if (demo_happens(d, .7))
		row->signup_source = DEMO_PICK(d, sources);
	if (!user->may_learn && !user->is_staff)
		return;
	if (demo_happens(d, .6))
		row->profile[USER_USERNAME] = value_text(name->handle);
	if (demo_happens(d, .8))
		row->profile[USER_GENDER] = value_text(name->female ? "female" : "male");
	if (demo_happens(d, .85)) {
		clock_date_text(d->start - (user->is_staff ? 26 : 17) * YEAR - demo_below(d, 40 * YEAR), date);
		row->profile[USER_BIRTH_DATE] = value_text(arena_string(d->batch, date));
	}
	if (demo_happens(d, .75)) {
		row->profile[USER_COUNTRY_CODE] = value_text(of->country_code);
		row->profile[USER_PHONE_NUMBER] = value_text(
			arena_format(d->batch, "%s%08lld", of->mobile, (long long)demo_below(d, 100000000)));
	}
	if (demo_happens(d, .5))
		row->profile[USER_INTERESTS] = value_text(pick_interests(d));
	row->profile[USER_EXPERTISE] = value_text(user->is_staff ? "language teaching" : DEMO_PICK(d, trades));
}

/* The first is the superadmin; the next two run the office, the others teach. */
static struct demo_name
make_staff(struct demo *d, int64_t i, struct user_new *row)
{
	static const char *const bios[] = { "Teaches English.", "Teaches German.", "Teaches Turkish.", "Teaches Spanish." };
	static const enum language mother_tongues[] = { EN, DE, TR, ES };
	struct demo_user *user = &d->user[i];

	user->is_staff = true;
	user->language = i < 3 ? TR : mother_tongues[(i - 3) % 4];
	user->created = d->start - 40 * DAY + i * DAY + 8 * HOUR + demo_below(d, 6 * HOUR);
	user->last_login = d->until - DAY - demo_below(d, 3 * DAY);
	row->role = i == 0 ? "superadmin" : "admin";
	row->profile[USER_BIO] = value_text(i == 0 ? "Runs the school." : i < 3 ? "Office." : bios[(i - 3) % 4]);
	row->registered_at = user->created + 5 * MINUTE;
	struct demo_name name = unique_name(d, user->language);
	if (i == 0)
		name.address = SUPERADMIN;
	return name;
}

static struct demo_name
make_learner(struct demo *d, int64_t i, struct user_new *row)
{
	struct demo_user *user = &d->user[i];

	user->created = demo_time(d);
	user->language = demo_language(d);
	const struct demo_name name = unique_name(d, user->language);
	row->is_deactivated = demo_happens(d, .02);
	if (demo_happens(d, .9))
		row->registered_at = user->created + MINUTE;
	/* Most do not stay for long. */
	double stay = demo_real(d);
	user->last_login = user->created + 2 * MINUTE + (int64_t)(stay * stay * (double)(d->until - HOUR / 2 - user->created));
	user->may_learn = row->registered_at && !row->is_deactivated;
	if (user->may_learn)
		d->learners[d->learner_count++] = i;
	return name;
}

static void
make_user(struct demo *d, int64_t i, void *out)
{
	struct user_new *row = out;
	struct demo_user *user = &d->user[i];
	const struct demo_name name = i < d->staff ? make_staff(d, i, row) : make_learner(d, i, row);

	row->email = name.address;
	row->profile[USER_LANGUAGE] = value_text(language_code(user->language));
	row->created_at = user->created;
	row->last_login_at = user->stored_login = user->last_login;
	if (row->registered_at) {
		row->profile[USER_NAME] = value_text(name.name);
		row->profile[USER_SURNAME] = value_text(name.surname);
		row->privacy_policy_version = d->conf->privacy_policy_version;
		row->terms_of_use_version = d->conf->terms_of_use_version;
		row->consent_form_version = demo_happens(d, .7) ? d->conf->consent_form_version : NULL;
	}
	describe(d, user, &name, row);
	row->id = demo_id(d, user->created);
}

static void
add_user(struct demo *d, int64_t i, const void *row)
{
	(void)!user_add(d->db, row, &d->user[i].pk);
}

enum db_rc
demo_make_users(struct demo *d)
{
	static const struct demo_kind kind = { sizeof(struct user_new), 2000, make_user, add_user };

	used = arena_alloc(d->run, USED_ROOM * sizeof(*used));
	d->user = arena_alloc(d->run, (size_t)d->users * sizeof(*d->user));
	d->learners = arena_alloc(d->run, (size_t)d->users * sizeof(*d->learners));
	demo_series(d, "users");
	d->staff = 3 + (d->users < 80 ? 2 : d->users < 400 ? d->users / 40 : 10);
	/* Some came in the weeks before, so that there is somebody to take the first tests. */
	demo_times(d, d->start - 30 * DAY, d->until - HOUR, d->users - d->staff);
	return demo_write(d, d->users, &kind);
}

/* ---- last logins, which later parts moved */

static void
add_login(struct demo *d, int64_t i, const void *row)
{
	const struct demo_user *user = &d->user[i];

	(void)row;
	if (user->last_login > user->stored_login)
		user_set_last_login(d->db, user->pk, user->last_login);
}

enum db_rc
demo_make_logins(struct demo *d)
{
	return demo_write(d, d->users, &(struct demo_kind){ .batch = 10000, .add = add_login });
}
