// Courses, tests, statistics, materials, files and settings in the office.
import assert from "node:assert/strict";
import fs from "node:fs";
import { after, before, beforeEach, test } from "node:test";
import { findings } from "../../htdocs/lib/levels.js";
import { renumber } from "../../htdocs/lib/order.js";
import { checkAccess, checkLayout, checkProblems, DESKTOP, PHONE, School, shot, until } from "./school.js";

const PDF = Buffer.from("%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n");
const RANGES = [{ level: "A1", minScore: 0, maxScore: 50 }, { level: "B1", minScore: 50, maxScore: 100 }];
const question = (text, right = "right") => ({ text, points: 1, options: [{ text: right, isCorrect: true }, { text: "wrong", isCorrect: false }] });

let school;
let admin;
let page;	// 1280 px, light
let phone;	// 390 px, dark
before(async () => {
	school = await School.start();
	admin = await school.person("office@example.com", { role: "superadmin", name: "Deniz", surname: "Ak" });
	page = await school.page({ size: DESKTOP });
	phone = await school.page({ size: PHONE, dark: true });
	for (const one of [page, phone]) {
		school.advance(61);	// the next code
		await school.enter(one, "office@example.com");
	}
});
after(() => school.stop());

/** A screen as it is seen by both: layout, axe, and pictures in each size and colour scheme. */
async function look(name, where) {
	for (const [one, size] of [[page, "desktop"], [phone, "phone"]]) {
		if (where)
			await school.open(one, where);
		for (const scheme of ["light", "dark"]) {
			await one.emulateMedia({ colorScheme: scheme });
			await checkAccess(one);
			await shot(one, `${name}-${size}-${scheme}`);
		}
		await checkLayout(one);
	}
}

// A notice stays for some seconds; one of the test before must not be taken for that of this one.
const forgetNotices = (one) => one.evaluate(() => document.querySelectorAll(".notices p").forEach((notice) => notice.remove()));
beforeEach(() => Promise.all([page, phone].map(forgetNotices)));

/** Saves, and waits until the form says that it is done. */
async function save(one = page, within = one) {
	await forgetNotices(one);
	await within.getByRole("button", { name: "Save" }).click();
	await one.getByText("Saved", { exact: true }).waitFor();
}

const get = async (where) => (await admin.call("GET", where)).data;

test("the order of rows changes by as few numbers as possible", () => {
	assert.deepEqual([...renumber([10, 20, 30])], []);
	assert.equal(renumber([10, 50, 20, 30, 40]).size, 1);
	assert.equal(renumber([20, 10, 30, 40]).size, 1);
	for (const numbers of [[0, 0, 0, 0], [3, 1, 2, 0], [5, 6, 7, 1], [1000000, 999999, 4], [30, 10, 20], [7, 7, 8, 2, 9, 9]]) {
		const changes = renumber(numbers);
		const now = numbers.map((value, i) => changes.get(i) ?? value);
		assert.ok(now.every((value, i) => Number.isInteger(value) && value >= 0 && value <= 1000000 && (i === 0 || value > now[i - 1])), `${numbers}: ${now}`);
	}
});

test("gaps and overlaps of levels are found", () => {
	const ranges = (...pairs) => pairs.map(([minScore, maxScore]) => ({ level: "A1", minScore, maxScore }));
	assert.deepEqual(findings(ranges([0, 50], [50, 100])), []);
	assert.deepEqual(findings(ranges([0, 50], [51, 100])), []);
	assert.deepEqual(findings(ranges([0, 40], [60, 100])), [{ kind: "gap", from: 40, to: 60 }]);
	assert.deepEqual(findings(ranges([0, 60], [40, 100])), [{ kind: "overlap", from: 40, to: 60 }]);
	assert.deepEqual(findings(ranges([1, 90])), [{ kind: "gap", from: 0, to: 1 }, { kind: "gap", from: 90, to: 100 }]);
});

test("a course is made, published, duplicated, changed by two people, and deleted", async () => {
	await school.open(page, "/office/courses");
	await page.getByText("There is no course yet").waitFor();
	await page.getByRole("link", { name: "New course" }).click();
	await page.getByRole("heading", { name: "New course" }).waitFor();
	await page.getByRole("button", { name: "Save" }).click();
	await page.getByText("Please fill in this field").first().waitFor();
	await page.getByLabel("Title").fill("English for beginners");
	await page.getByLabel("Currency").fill("E1R");
	await page.locator("form").getByLabel("Language").selectOption("en");
	await page.getByRole("button", { name: "Save" }).click();
	await page.locator("[data-name=currency] .error p").waitFor();
	await page.getByLabel("Currency").fill("EUR");
	await page.getByRole("button", { name: "Save" }).click();
	await page.getByRole("heading", { name: "English for beginners" }).waitFor();
	const [course] = (await get("/courses")).items;
	assert.equal(course.isPublished, false);

	await school.open(page, "/office/courses");
	await page.getByRole("switch").check();
	await page.getByText("Published: English for beginners").waitFor();
	assert.equal((await get(`/courses/${course.id}`)).isPublished, true);
	await page.getByRole("button", { name: "Duplicate “English for beginners”" }).click();
	await page.getByText("This is a copy").waitFor();
	await page.getByRole("heading", { name: /English for beginners/ }).waitFor();
	assert.equal((await get("/courses")).items.length, 2);

	await school.open(page, `/office/courses/${course.id}`);
	await page.getByLabel("Title").fill("English A1");
	await admin.call("PATCH", `/courses/${course.id}`, { title: "English for all" });
	await page.getByRole("button", { name: "Save" }).click();
	await page.getByRole("dialog").getByText("English for all").waitFor();
	await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
	await page.getByRole("heading", { name: "English A1" }).waitFor();
	await look("office-course", `/office/courses/${course.id}`);
	await page.getByRole("button", { name: "Delete" }).click();
	await page.getByRole("alertdialog").getByText("This cannot be undone").waitFor();
	await page.getByRole("alertdialog").getByRole("button", { name: "Delete" }).click();
	await page.getByRole("heading", { name: "Courses" }).waitFor();
	await page.getByText("1 entry").waitFor();
	await look("office-courses", "/office/courses");
	checkProblems(page, phone);
});

test("courses are put into order by dragging and by keyboard, one request a move", async () => {
	for (const { id } of (await get("/courses")).items)
		await admin.call("DELETE", `/courses/${id}`);
	for (const [i, title] of ["one", "two", "three", "four"].entries())
		await admin.call("POST", "/courses", { title, language: "en", order: (i + 1) * 10 });
	const sent = [];
	page.on("request", (request) => request.method() === "PATCH" && sent.push(request.postData()));
	await look("office-courses-order", "/office/courses?view=order");
	const titles = () => page.locator(".part-title").allTextContents();
	const stored = async () => (await get("/courses?sort=order")).items.map((course) => course.title);

	await page.getByRole("button", { name: "Move down: one" }).focus();
	await page.keyboard.press("Enter");
	await page.getByText("one: now 2 of 4").waitFor();
	await page.keyboard.press("Enter");	// the button has kept the focus
	await page.getByText("one: now 3 of 4").waitFor();
	await until(async () => (await stored()).join() === "two,three,one,four", "the order is stored");
	assert.deepEqual(sent.length, 2);

	sent.length = 0;
	const handle = (i) => page.locator(".handle").nth(i).boundingBox();
	const [from, to] = [await handle(3), await handle(0)];
	await page.mouse.move(from.x + 10, from.y + 10);
	await page.mouse.down();
	await page.mouse.move(to.x + 10, to.y - 5, { steps: 8 });
	await page.mouse.up();
	assert.deepEqual(await titles(), ["four", "two", "three", "one"]);
	await until(async () => (await stored()).join() === "four,two,three,one", "the order is stored");
	assert.equal(sent.length, 1);
	page.removeAllListeners("request");
	checkProblems(page);
});

test("a test is made: questions and options are edited in place, levels are checked, errors stand where they belong", async () => {
	await school.open(page, "/office/tests/new");
	await page.getByLabel("Title").fill("Placement");
	await page.locator("[data-name=targetLanguage] input").fill("en");
	await page.getByRole("textbox", { name: "Question" }).fill("I ___ here.");
	await page.getByLabel("Option 1", { exact: true }).fill("am");
	await page.getByLabel("Option 2", { exact: true }).fill("is");
	await page.getByRole("button", { name: "Remove option 3" }).click();
	await page.getByRole("button", { name: "Duplicate question 1" }).click();
	const second = page.locator(".part").nth(1);
	await second.getByRole("textbox", { name: "Question" }).fill("You ___ here.");
	await second.getByLabel("Option 1", { exact: true }).fill("are");
	await second.getByLabel("Option 2", { exact: true }).fill("");
	await second.getByRole("button", { name: "Move down: Option 1" }).click();
	await page.getByText("Option 2: now 2 of 2").waitFor();
	assert.equal(await second.getByLabel("Option 2 is right").isChecked(), true);

	// A gap between levels is said, seen, and stops the form.
	const row = page.locator(".level-row").nth(1);
	await row.getByLabel("from").fill("25");
	await page.getByText("No level from 20 to 25").waitFor();
	await page.getByRole("button", { name: "Save" }).click();
	await page.getByText("Close the gaps and overlaps first").waitFor();
	await row.getByLabel("from").fill("20");
	await page.getByText("Each score from 0 to 100 has one level").waitFor();

	// The server's sentence about an option stands at that option.
	await page.getByRole("button", { name: "Save" }).click();
	const broken = second.getByLabel("Option 1", { exact: true });
	await second.locator(".choice").first().locator(".error p").waitFor();
	assert.equal(await broken.getAttribute("aria-invalid"), "true");
	await checkAccess(page);
	await shot(page, "office-test-errors-desktop-light");
	await broken.fill("is");
	await page.getByRole("button", { name: "Save" }).click();
	await page.getByRole("heading", { name: "Placement" }).waitFor();
	const [{ id }] = (await get("/proficiency-tests")).items;
	const { questions } = await get(`/proficiency-tests/${id}`);
	assert.deepEqual(questions.map(({ text, options }) => [text, options.map((option) => `${option.text}${option.isCorrect ? "*" : ""}`).join()]),
		[["I ___ here.", "am*,is"], ["You ___ here.", "is,are*"]]);

	await look("office-test", `/office/tests/${id}`);
	await page.getByRole("button", { name: "Preview" }).click();
	const dialog = page.getByRole("dialog");
	await dialog.getByText("You ___ here.").waitFor();
	assert.equal(await dialog.getByRole("radio", { checked: true }).count(), 0);
	await checkAccess(page);
	await shot(page, "office-test-preview-desktop-light");
	await dialog.getByRole("button", { name: "Close" }).click();
	checkProblems(page, phone);
});

test("what is typed in a test is guarded, and two people who change it see both versions", async () => {
	const made = (await admin.call("POST", "/proficiency-tests", { title: "Shared", targetLanguage: "en", questions: [question("one"), question("two")], levelRanges: RANGES })).data;
	await school.open(page, `/office/tests/${made.id}`);
	await page.getByRole("button", { name: "Move down: Question 1" }).click();
	// Leaving is asked about; staying keeps what was done.
	page.once("dialog", (dialog) => dialog.dismiss());
	await page.getByRole("link", { name: "All tests" }).click();
	await until(() => page.url().endsWith(made.id), "the screen stays");
	assert.match(await page.locator(".part-title").first().textContent(), /two/);

	await admin.call("PATCH", `/proficiency-tests/${made.id}`, { questions: [question("one"), question("two"), question("three of somebody else")] });
	await page.getByRole("button", { name: "Save" }).click();
	const dialog = page.getByRole("dialog");
	await dialog.getByText("3 questions").waitFor();
	const text = await dialog.textContent();
	assert.match(text, /three of somebody else/);
	assert.doesNotMatch(text, /isCorrect|[{}]/);
	await checkAccess(page);
	await shot(page, "office-test-conflict-desktop-light");
	await save(page, dialog);
	assert.deepEqual((await get(`/proficiency-tests/${made.id}`)).questions.map((one) => one.text), ["two", "one"]);
	checkProblems(page);
});

test("questions come in as GIFT text, with errors beside their lines, and go out again", async () => {
	await school.open(page, "/office/tests/import");
	await page.locator("[data-name=title] input").fill("From Moodle");
	await page.locator("[data-name=targetLanguage] input").fill("en");
	const text = page.getByLabel("Questions as text");
	await text.fill("I {=am ~is} here.\n\nWho painted it? {=Leonardo}\n\nWrite about it. {}\n");
	await page.getByRole("button", { name: "Import" }).click();
	await page.getByRole("button", { name: "Line 3" }).waitFor();
	await page.getByRole("button", { name: "Line 5" }).click();
	assert.equal(await text.evaluate((area) => area.value.slice(area.selectionStart, area.selectionEnd)), "Write about it. {}");
	await checkLayout(page);
	await checkAccess(page);
	await shot(page, "office-gift-errors-desktop-light");
	await page.locator("input[type=file]").setInputFiles({ name: "questions.txt", mimeType: "text/plain", buffer: Buffer.from("I {=am ~is} here.\n\nYou {=are ~is} here.\n") });
	await until(async () => /You/.test(await text.inputValue()), "the file is read");
	await page.getByRole("button", { name: "Import" }).click();
	await page.getByText("A test of 2 questions was made").waitFor();
	await page.getByRole("heading", { name: "From Moodle" }).waitFor();
	await look("office-gift", "/office/tests/import");
	await look("office-tests", "/office/tests");
	const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Export “From Moodle” as GIFT" }).click()]);
	assert.match(fs.readFileSync(await file.path(), "utf8"), /^\[plain\]You _+ here\.\{\s+=are\s+~is\s+\}/m);
	checkProblems(page, phone);
});

test("statistics mark the questions that measure nothing, and say why", async () => {
	const made = (await admin.call("POST", "/proficiency-tests", {
		title: "Measured", targetLanguage: "en", isPublished: true, maxAttempts: 0, questions: [question("known by all"), question("tells"), question("turned round")], levelRanges: RANGES,
	})).data;
	await school.open(page, `/office/tests/${made.id}/statistics`);
	await page.getByText("Nobody has handed in this test").waitFor();
	// The strong learner is right in the second and wrong in the third, the weak one the other way round.
	for (const right of [[0, 0, 1], [0, 0, 1], [0, 1, 0], [0, 1, 0]]) {
		const { data: attempt } = await admin.call("POST", `/proficiency-tests/${made.id}/start`);
		const answers = made.questions.map((one, i) => ({ questionId: one.id, optionId: one.options[right[i]].id }));
		await admin.call("POST", `/proficiency-tests/${made.id}/submit`, { answers });
		assert.ok(attempt.id);
	}
	await school.open(page, "/office/tests");
	await look("office-statistics", `/office/tests/${made.id}/statistics`);
	const text = await page.locator("main").textContent();
	assert.match(text, /Only 4 attempts/);
	assert.match(text, /known by all.*Measures nothing: everybody has it right/s);
	assert.match(text, /Measures the opposite/);
	checkProblems(page, phone);
});

test("a material: PDFs by choosing and dropping, with progress and cancelling; given by search and by pasted addresses; taken back", async () => {
	const learner = await school.person("learner@example.com", { name: "Zeynep", surname: "Kaya" });
	await school.person("second@example.com", { name: "Second", surname: "Learner" });
	await school.open(page, "/office/materials/new");
	await page.getByLabel("Title").first().fill("First words");
	await page.locator("form").getByLabel("Language").selectOption("en");
	await page.getByRole("button", { name: "Add a video" }).click();
	const video = page.locator("[data-name=videos]");
	await video.getByLabel("Title").fill("Hello");
	await video.getByLabel("Address").fill("not an address");
	await page.getByRole("button", { name: "Save, then add PDFs" }).click();
	await video.locator(".error p").waitFor();
	await video.getByLabel("Address").fill("https://videos.example.com/hello");
	await page.getByRole("button", { name: "Save, then add PDFs" }).click();
	await page.getByRole("heading", { name: "First words" }).waitFor();
	const [{ id }] = (await get("/education-materials")).items;

	const files = page.locator("input[type=file]");
	await files.setInputFiles([{ name: "lesson.pdf", mimeType: "application/pdf", buffer: PDF }, { name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from("no") }]);
	await page.getByText("Only PDFs can be added here").waitFor();
	await page.getByRole("link", { name: /lesson/ }).waitFor();
	// A file that only calls itself a PDF is refused by the server, and what it says is shown.
	await files.setInputFiles({ name: "fake.pdf", mimeType: "application/pdf", buffer: Buffer.from("plain text") });
	await page.getByRole("button", { name: "Try again: fake.pdf" }).waitFor();
	await page.getByRole("button", { name: "Close: fake.pdf" }).click();
	await page.getByRole("button", { name: "Close: notes.txt" }).click();
	// Dropped, and cancelled while it is on its way.
	const held = [];
	await page.route(/education-materials/, (route) => (route.request().method() === "PATCH" ? held.push(route) : route.continue()));
	const data = await page.evaluateHandle((bytes) => {
		const transfer = new DataTransfer();
		transfer.items.add(new File([new Uint8Array(bytes)], "dropped.pdf", { type: "application/pdf" }));
		return transfer;
	}, [...PDF]);
	await page.dispatchEvent(".drop", "drop", { dataTransfer: data });
	await page.getByRole("progressbar", { name: "dropped.pdf" }).waitFor();
	await until(() => held.length, "the file is on its way");
	await Promise.all([page.waitForEvent("requestfailed"), page.getByRole("button", { name: "Cancel: dropped.pdf" }).click()]);
	await held[0].abort().catch(() => {});
	await page.unroute(/education-materials/);
	assert.equal((await get(`/education-materials/${id}`)).pdfs.length, 1);
	await page.dispatchEvent(".drop", "drop", { dataTransfer: data });
	await page.getByRole("link", { name: /dropped/ }).waitFor();
	assert.equal((await get(`/education-materials/${id}`)).pdfs.length, 2);
	// The form goes on with the material as it is now.
	await page.locator("[data-name=description] textarea").fill("To be read first");
	await save();
	await page.getByRole("button", { name: /Delete “dropped/ }).click();
	await page.getByRole("alertdialog").getByRole("button", { name: "Delete" }).click();
	await until(async () => (await get(`/education-materials/${id}`)).pdfs.length === 1, "the PDF is gone");

	await page.getByLabel("Search people").fill("zeyn");
	await page.getByRole("button", { name: /Zeynep Kaya/ }).click();
	await page.getByLabel("Or paste e-mail addresses").fill("Second <SECOND@example.com>;\nnobody@example.com");
	await page.getByRole("button", { name: "Look up the addresses" }).click();
	await page.getByText("1 address belongs to nobody here").waitFor();
	assert.equal(await page.getByLabel("Or paste e-mail addresses").inputValue(), "nobody@example.com");
	await page.getByLabel("Note").fill("Read page 1");
	await checkLayout(page);
	await page.getByRole("button", { name: "Give it to 2 people" }).click();
	await page.getByText("2 people have it now").waitFor();
	await page.getByRole("row", { name: /Zeynep Kaya.*not opened yet/ }).waitFor();
	await look("office-material", `/office/materials/${id}`);
	assert.equal((await learner.call("GET", "/education-materials/assigned/me")).data.materials[0].note, "Read page 1");
	await page.getByRole("row", { name: /Zeynep Kaya/ }).getByRole("button", { name: "Take back" }).click();
	await page.getByRole("alertdialog").getByText("Zeynep Kaya will no longer see this material").waitFor();
	await page.getByRole("alertdialog").getByRole("button", { name: "Take back" }).click();
	await page.getByText("Zeynep Kaya no longer has it").waitFor();
	assert.equal((await learner.call("GET", "/education-materials/assigned/me")).data.total, 0);
	await look("office-materials", "/office/materials");
	checkProblems(page, phone);
});

test("files are uploaded, and one that a material holds says which", async () => {
	await school.open(page, "/office/files");
	await page.locator("section").getByLabel("Folder").selectOption("public");
	await page.locator("input[type=file]").setInputFiles([
		{ name: "hello.pdf", mimeType: "application/pdf", buffer: PDF },
		{ name: "script.html", mimeType: "text/html", buffer: Buffer.from("<script>1</script>") },
	]);
	await page.getByText("hello.pdf is stored").waitFor();
	await page.getByRole("button", { name: "Try again: script.html" }).waitFor();
	await page.getByRole("row", { name: /hello.pdf/ }).waitFor();
	await look("office-files");
	await look("office-files", "/office/files");
	await page.getByRole("button", { name: "Delete “lesson.pdf”" }).click();
	await page.getByRole("alertdialog").getByRole("button", { name: "Delete" }).click();
	await page.getByText("It belongs to the material “First words”.").waitFor();
	await page.getByRole("button", { name: "Delete “hello.pdf”" }).click();
	await page.getByRole("alertdialog").getByText("Links to it stop working").waitFor();
	await page.getByRole("alertdialog").getByRole("button", { name: "Delete" }).click();
	await page.getByRole("row", { name: /hello.pdf/ }).waitFor({ state: "detached" });
	assert.ok((await get("/storage/files")).items.every((file) => file.fileName !== "hello.pdf"));
	checkProblems(page, phone);
});

test("a setting keeps its type, shows its versions, and an older one is restored", async () => {
	await school.open(page, "/office/settings?view=new");
	await page.getByLabel("Key").fill("home.seats");
	await page.getByLabel("Type of the value").selectOption("Number");
	await page.getByRole("button", { name: "Save" }).click();
	await page.locator("[data-name=value] .error p").waitFor();
	await page.getByLabel("Value", { exact: true }).fill("12");
	await page.getByRole("button", { name: "Save" }).click();
	await page.getByRole("heading", { name: "home.seats" }).waitFor();
	assert.strictEqual((await get("/settings/home.seats")).value, 12);

	await school.open(page, "/office/settings?view=new");
	await page.getByLabel("Key").fill("home.seats");
	await page.getByRole("button", { name: "Save" }).click();
	await page.getByText("There is a setting of this key already").waitFor();
	await page.getByLabel("Key").fill("");

	await admin.call("POST", "/settings", { key: "home.tags", value: ["new", "cheap"], description: "Words", isPublic: false });
	await school.open(phone, "/office/settings/home.tags");
	await phone.getByLabel("Value", { exact: true }).fill("new\nold");
	// Somebody else was faster.
	await admin.call("POST", "/settings", { key: "home.tags", value: ["other"], description: "Other words" });
	await phone.getByRole("button", { name: "Save" }).click();
	await phone.getByRole("dialog").getByText("Other words").waitFor();
	await checkAccess(phone);
	await checkLayout(phone);
	await save(phone, phone.getByRole("dialog"));
	assert.deepEqual((await get("/settings/home.tags/history")).items.map(({ value, description, isPublic }) => [value, description, isPublic]),
		[[["new", "old"], "Other words", false], [["other"], "Other words", false], [["new", "cheap"], "Words", false]]);
	await phone.getByRole("button", { name: "Restore" }).last().click();
	await until(async () => JSON.stringify((await get("/settings/home.tags")).value) === '["new","cheap"]', "the oldest value is back");
	await look("office-setting", "/office/settings/home.tags");
	await look("office-settings", "/office/settings");
	checkProblems(page, phone);
});
