/* demo_questions - two placement tests: four questions a level from A1 to C2, the right answer first. */
#include "demo.h"

/* clang-format off */
/* Two of them do not discriminate, as in every school: the statistics of the test show which. */
static const struct demo_question english[] = {
	{ "She ___ a teacher.", { "is", "am", "are", "be" }, 1, -2.6, 1.3 },
	{ "___ is your name?", { "What", "Who", "Where", "Why" }, 1, -2.4, 1.1 },
	{ "There ___ two cats in the garden.", { "are", "is", "has", "be" }, 1, -2.1, 1.4 },
	{ "I usually ___ breakfast at seven o'clock.", { "have", "has", "having", "to have" }, 1, -1.9, 1.2 },
	{ "We ___ to the cinema last night.", { "went", "go", "have gone", "have been going" }, 1, -1.5, 1.6 },
	{ "This bag is ___ than that one.", { "cheaper", "more cheap", "cheapest", "the cheaper" }, 1, -1.3, 1.5 },
	{ "You ___ smoke in here; it is forbidden.", { "mustn't", "don't have to", "needn't", "wouldn't" }, 1, -.9, 1.1 },
	{ "How ___ milk do we need?", { "much", "many", "few", "lot of" }, 1, -1.4, 1.3 },
	{ "I have lived in Ankara ___ 2015.", { "since", "for", "from", "during" }, 2, -.6, 1.7 },
	{ "If it rains tomorrow, we ___ at home.", { "will stay", "stayed", "would have stayed", "had stayed" }, 2, -.3, 1.5 },
	{ "The letter ___ yesterday.", { "was sent", "has sent", "sent", "is sending" }, 2, -.2, 1.4 },
	{ "She asked me where I ___.", { "lived", "do live", "am living in", "have live" }, 2, .1, .1 },
	{ "If I had known, I ___ you.", { "would have called", "would call", "had called", "will have called" }, 2, .5, 1.8 },
	{ "He denied ___ the window.", { "breaking", "to break", "break", "to have broken" }, 2, .6, 1.3 },
	{ "Hardly ___ sat down when the phone rang.", { "had we", "we had", "have we", "did we" }, 2, .9, 1.5 },
	{ "It's high time you ___ a decision.", { "made", "make", "have made", "will make" }, 2, .8, 1.2 },
	{ "___ had the meeting begun than the fire alarm went off.", { "No sooner", "Hardly", "Scarcely", "As soon" }, 3, 1.2, 1.6 },
	{ "The new rules will come into ___ next month.", { "force", "power", "act", "strength" }, 3, 1.1, 1.2 },
	{ "She is anything ___ shy; she talks to everyone.", { "but", "except", "than", "only" }, 3, 1.4, 1.4 },
	{ "I'd rather you ___ smoke in my car.", { "didn't", "don't", "won't", "not" }, 3, 1.3, 1.5 },
	{ "His explanation was so ___ that nobody could follow it.", { "convoluted", "succinct", "lucid", "terse" }, 3, 1.8, 1.3 },
	{ "The minister refused to be ___ on the date of the reform.", { "pinned down", "held up", "set out", "put by" }, 3, 2, 1.4 },
	{ "Be that as it ___, we still have to pay.", { "may", "is", "will", "does" }, 3, 1.9, 1.2 },
	{ "Little ___ that the decision would change her life.", { "did she know", "she knew", "she did know", "she has known" }, 3,
	  2.1, 1.5 },
};

static const struct demo_question german[] = {
	{ "Ich ___ Anna.", { "heiße", "heißt", "heißen", "heiß" }, 1, -2.5, 1.2 },
	{ "Woher ___ du?", { "kommst", "komme", "kommt", "kommen" }, 1, -2.4, 1.4 },
	{ "Das ist ___ Tisch.", { "ein", "eine", "einen", "einer" }, 1, -1.9, 1.3 },
	{ "Wir ___ heute keine Zeit.", { "haben", "hat", "habt", "sind" }, 1, -2.2, 1.2 },
	{ "Gestern ___ ich ins Kino gegangen.", { "bin", "habe", "war", "werde" }, 1, -1.4, 1.5 },
	{ "Ich helfe ___ Bruder.", { "meinem", "meinen", "mein", "meiner" }, 1, -1, 1.6 },
	{ "Der Zug ist ___ als der Bus.", { "schneller", "schnell", "am schnellsten", "mehr schnell" }, 1, -1.6, 1.3 },
	{ "Er kann heute nicht kommen, ___ er krank ist.", { "weil", "denn", "deshalb", "trotzdem" }, 1, -1.1, 1.4 },
	{ "Wenn ich mehr Zeit hätte, ___ ich öfter lesen.", { "würde", "werde", "wurde", "hätte" }, 2, -.4, 1.6 },
	{ "Das Auto ___ gestern repariert.", { "wurde", "wird", "hat", "würde" }, 2, -.3, 1.3 },
	{ "Der Mann, ___ ich gestern getroffen habe, ist mein Lehrer.", { "den", "der", "dem", "dessen" }, 2, -.1, 1.7 },
	{ "Ich freue mich ___ die Ferien im nächsten Sommer.", { "auf", "über", "für", "an" }, 2, -.5, 1.2 },
	{ "___ des schlechten Wetters gingen wir spazieren.", { "Trotz", "Obwohl", "Trotzdem", "Dennoch" }, 2, .4, 1.5 },
	{ "Er tut so, als ___ er alles wüsste.", { "ob", "weil", "dass", "wie" }, 2, .6, 1.3 },
	{ "Je länger ich warte, ___ ungeduldiger werde ich.", { "desto", "als", "wie", "so" }, 2, .5, 1.6 },
	{ "Sie behauptet, ihn nie gesehen ___.", { "zu haben", "haben", "zu sein", "hat" }, 2, .9, 1.4 },
	{ "Der Vertrag tritt am 1. Januar in ___.", { "Kraft", "Stärke", "Macht", "Recht" }, 3, 1.1, 1.3 },
	{ "Er ist der Aufgabe nicht ___.", { "gewachsen", "gelegen", "geraten", "gehalten" }, 3, 1.3, 1.5 },
	{ "___ er auch sagt, ich glaube ihm nicht.", { "Was", "Dass", "Ob", "Weil" }, 3, 1.4, 1.4 },
	{ "Das lässt sich nicht von der Hand ___.", { "weisen", "geben", "legen", "nehmen" }, 3, 1.5, 1.2 },
	{ "Die Entscheidung ist ihm sichtlich schwer ___.", { "gefallen", "gelegen", "gegangen", "gestanden" }, 3, 1.7, .1 },
	{ "Sie machte keinen ___ aus ihrer Enttäuschung.", { "Hehl", "Hohn", "Halt", "Hauch" }, 3, 2, 1.5 },
	{ "Er gab sich alle Mühe, ___ ohne Erfolg.", { "wenngleich", "sofern", "zumal", "sodass" }, 3, 2.1, 1.2 },
	{ "Das Vorhaben ist zum Scheitern ___.", { "verurteilt", "verhängt", "verteilt", "verfügt" }, 3, 1.9, 1.4 },
};
/* clang-format on */

const struct demo_test demo_tests[2] = {
	{ "English placement test",
		"24 questions from A1 to C2. You have 30 minutes; do not worry about what you do not know yet.", "en", 30,
		english, COUNT(english) },
	{ "Einstufungstest Deutsch", "24 Fragen von A1 bis C2. Nehmen Sie sich Zeit, und raten Sie nicht.", "de", 0, german,
		COUNT(german) },
};
