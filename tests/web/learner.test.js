// What learners do: courses, a test from the first question to the level, results, materials, a message to the school.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { checkAccess, checkLayout, checkProblems, DESKTOP, PHONE, School, shot, until } from "./school.js";

// How long the connection is away in the middle of a test; a minute with OKUL_LONG.
const AWAY = process.env.OKUL_LONG ? 60 : 6;

let school, admin;
const RANGES = ["A1", "A2", "B1", "B2", "C1", "C2"].map((level, i, all) => ({ level, minScore: Math.floor((100 * i) / 6), maxScore: Math.floor((100 * (i + 1)) / all.length) }));

before(async () => {
	school = await School.start();
	admin = await school.person("admin@example.com", { role: "superadmin", name: "Deniz", surname: "Okul" });
	await admin.call("POST", "/courses", { title: "Türkçe A1", description: "Günlük konuşma için", language: "tr", level: "A1", price: 1999.5, durationWeeks: 12 });
	await admin.call("POST", "/courses", { title: "Evening English", language: "en" });
});
after(() => school.stop());

/** A test of ten questions; the first option is right. */
const makeTest = async (more) => (await admin.call("POST", "/proficiency-tests", {
	title: "English placement", description: "Find out where to begin.", targetLanguage: "en", levelRanges: RANGES, maxAttempts: 0,
	questions: Array.from({ length: 10 }, (_, i) => ({
		text: `Question ${i + 1}: she ___ to school.`, options: ["goes", "go", "going"].map((text, at) => ({ text, isCorrect: at === 0 })),
	})), ...more,
})).data;

async function look(page, name) {
	await checkLayout(page);
	await checkAccess(page);
	await shot(page, name);
}

const answer = async (page, number, text = "goes") => {
	const question = page.getByRole("group", { name: `Question ${number} of` });
	await question.getByLabel(text, { exact: true }).check();
	return question;
};

for (const [name, size, dark] of [["phone", PHONE, false], ["desktop-dark", DESKTOP, true]])
	test(`a learner looks at courses and takes a test (${name})`, async () => {
		const { id } = await makeTest({ durationMinutes: 20 });
		await school.person(`${name}@example.com`);
		const page = await school.page({ size, dark });
		await school.enter(page, `${name}@example.com`);
		await school.open(page, "/courses");
		await page.getByText("2 entries").waitFor();
		await look(page, `courses-${name}`);
		await page.getByRole("link", { name: "Türkçe A1" }).click();
		await page.getByText("12 weeks").waitFor();
		await look(page, `course-${name}`);
		await school.open(page, "/tests");
		await page.getByText("20 minutes").first().waitFor();
		await look(page, `tests-${name}`);
		await school.open(page, `/tests/${id}`);
		await look(page, `test-${name}`);
		await page.getByRole("link", { name: "Begin, or go on" }).click();
		await answer(page, 1);
		await page.getByText("saved", { exact: true }).waitFor();
		await look(page, `take-${name}`);
		// A mistake: handing in with open questions asks first.
		await page.getByRole("button", { name: "Hand in" }).click();
		await page.getByText("9 questions have no answer").waitFor();
		await look(page, `take-open-${name}`);
		await page.getByRole("button", { name: "Cancel" }).click();
		await page.getByRole("button", { name: "Next" }).click();
		await answer(page, 2, "go");
		// A reload goes on where it was.
		await until(async () => (await page.locator(".place.saved").count()) === 2, "two answers are saved");
		await page.reload();
		await page.getByText("2 of 10 answered").waitFor();
		await page.getByLabel("All questions at once").check();
		for (let i = 3; i <= 10; i++)
			await answer(page, i);
		await page.getByText("10 of 10 answered").waitFor();
		await look(page, `take-all-${name}`);
		await page.getByRole("button", { name: "Hand in" }).click();
		await page.getByText("Level: C2").waitFor();
		assert.match(await page.locator("main").textContent(), /9 of 10/);
		await look(page, `result-${name}`);
		await school.open(page, "/results");
		await page.getByText("1 entry").waitFor();
		await look(page, `results-${name}`);
		checkProblems(page);
	});

test(`the connection is away for ${AWAY} s in the middle of a test: no answer is lost`, async () => {
	const { id } = await makeTest({ durationMinutes: 30 });
	await school.person("away@example.com");
	const page = await school.page({ size: PHONE });
	await school.enter(page, "away@example.com");
	await school.open(page, `/tests/${id}/take`);
	await page.getByLabel("All questions at once").check();
	await answer(page, 1);
	await page.locator(".place.saved").waitFor();
	await page.context().setOffline(true);
	for (let i = 2; i <= 6; i++)
		await answer(page, i);
	await page.getByText("No connection. Go on: 5 answers are kept").waitFor();
	await look(page, "take-offline-phone");
	await page.waitForTimeout(AWAY * 1000);
	await answer(page, 7);
	assert.equal(await page.locator(".place.waiting").count(), 6);
	await page.context().setOffline(false);
	await until(async () => (await page.locator(".place.saved").count()) === 7, "all answers are saved");
	await page.getByText("No connection").waitFor({ state: "detached" });
	for (let i = 8; i <= 10; i++)
		await answer(page, i);
	await page.getByRole("button", { name: "Hand in" }).click();
	await page.getByText("Level: C2").waitFor();
	assert.match(await page.locator("main").textContent(), /10 of 10/);
	assert.deepEqual(await page.evaluate(() => Object.keys(localStorage).filter((key) => key.startsWith("okul.kept"))), []);
	checkProblems(page);
});

test("answers that wait survive a reload without connection, and leave with a logout", async () => {
	const { id } = await makeTest({});
	await school.person("kept@example.com");
	const page = await school.page();
	await school.enter(page, "kept@example.com");
	await school.open(page, `/tests/${id}/take`);
	await page.route("**/proficiency-tests/attempts/*", (route) => route.abort());
	await answer(page, 1);
	await page.getByText("No connection").waitFor();
	await page.reload();
	await page.getByText("1 of 10 answered").waitFor();
	assert.equal(await page.locator(".place.waiting").count(), 1);
	page.on("dialog", (dialog) => dialog.accept());
	await page.getByRole("button", { name: "Log out" }).click();
	await page.getByRole("heading", { name: "Welcome" }).waitFor();
	assert.deepEqual(await page.evaluate(() => Object.keys(localStorage).filter((key) => key.startsWith("okul.kept"))), []);
	checkProblems(page);
});

test("the time ends: what was saved is graded, and that is said", async () => {
	const { id } = await makeTest({ durationMinutes: 1 });
	await school.person("late@example.com");
	const page = await school.page();
	await school.enter(page, "late@example.com");
	await page.clock.install();
	await school.open(page, `/tests/${id}/take`);
	await answer(page, 1);
	await page.locator(".place.saved").waitFor();
	school.advance(70);
	await page.clock.fastForward(70000);
	await page.getByText("The time was up. All your answers were saved and graded.").waitFor();
	assert.match(await page.locator("main").textContent(), /1 of 10/);
	await look(page, "result-late-desktop");
	school.advance(-70);
	checkProblems(page);
});

test("a session that ends in the middle of a test loses no answer", async () => {
	const { id } = await makeTest({});
	const person = await school.person("gone@example.com");
	const page = await school.page();
	await school.enter(page, "gone@example.com");
	await school.open(page, `/tests/${id}/take`);
	for (const { id: session } of (await person.call("GET", "/auth/sessions")).data)
		await person.call("DELETE", `/auth/sessions/${session}`).catch(() => {});
	await answer(page, 1);
	const dialog = page.getByRole("dialog");
	await dialog.waitFor();
	school.advance(61);
	const count = school.codes("gone@example.com").length;
	await dialog.getByRole("button", { name: "Send me a code" }).click();
	await dialog.getByRole("textbox", { name: "Code" }).fill(await school.code("gone@example.com", count));
	await dialog.waitFor({ state: "detached" });
	await page.locator(".place.saved").waitFor();
	checkProblems(page);
});

test("materials: a PDF opens, a video of another site is a link", async () => {
	const learner = await school.person("reader@example.com");
	const form = new FormData();
	form.set("title", "First words");
	form.set("description", "Read it before the first lesson");
	form.set("locale", "en");
	form.set("videos", JSON.stringify([{ title: "Greetings", url: "https://video.example.com/greetings" }]));
	form.set("pdfs", new Blob([PDF], { type: "application/pdf" }), "words.pdf");
	const material = (await admin.call("POST", "/education-materials", form)).data;
	await admin.call("POST", `/education-materials/${material.id}/assign`, { userIds: [learner.user.id], note: "Have fun" });
	const page = await school.page({ size: PHONE });
	await school.enter(page, "reader@example.com");
	await school.open(page, "/materials");
	await page.getByText("Have fun").waitFor();
	await look(page, "materials-phone");
	assert.equal(await page.getByRole("link", { name: /Greetings/ }).getAttribute("rel"), "noopener noreferrer");
	const url = await page.getByRole("link", { name: /words/ }).getAttribute("href");
	const response = await page.request.get(new URL(url, school.url).href);
	assert.equal(response.headers()["content-type"], "application/pdf");
	checkProblems(page);
});

test("a message to the school, by somebody who is not logged in", async () => {
	const page = await school.page({ size: PHONE });
	await school.open(page, "/contact");
	await look(page, "contact-phone");
	await page.getByRole("button", { name: "Send" }).click();
	await page.getByText("Please fill in this field").first().waitFor();
	await page.getByLabel("Name").fill("Can Demir");
	await page.getByLabel("E-mail address").fill("can@example");
	await page.getByLabel("Message").fill("When does A1 begin?");
	await page.getByRole("button", { name: "Send" }).click();
	await page.locator("[data-name=email] .error p").waitFor();
	await page.getByLabel("E-mail address").fill("can@example.com");
	await page.getByRole("button", { name: "Send" }).click();
	await page.getByRole("heading", { name: "Thank you" }).waitFor();
	assert.equal((await admin.call("GET", "/contact")).data.items[0].fullName, "Can Demir");
	checkProblems(page);
});

const PDF = `%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]>>endobj
xref
0 4
0000000000 65535 f 
0000000009 00000 n 
0000000052 00000 n 
0000000101 00000 n 
trailer<</Size 4/Root 1 0 R>>
startxref
164
%%EOF
`;
