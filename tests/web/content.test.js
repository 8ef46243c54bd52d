// Courses, tests and statistics in the office.
import assert from "node:assert/strict";
import fs from "node:fs";
import { after, before, beforeEach, test } from "node:test";
import { findings } from "../../htdocs/lib/levels.js";
import { renumber } from "../../htdocs/lib/order.js";
import { Office } from "./office.js";
import { checkAccess, checkLayout, checkProblems, shot, until } from "./school.js";

const RANGES = [{ level: "A1", minScore: 0, maxScore: 50 }, { level: "B1", minScore: 50, maxScore: 100 }];
const question = (text, right = "right") =>
	({ text, points: 1, options: [{ text: right, isCorrect: true }, { text: "wrong", isCorrect: false }] });

let office;
let school;
let admin;
let page;	// 1280 px
let phone;	// 390 px
before(async () => {
	office = await Office.start();
	({ school, admin, page, phone } = office);
});
beforeEach(() => office.forgetNotices());
after(() => office.stop());

test("the order of rows changes by as few numbers as possible", () => {
	assert.deepEqual([...renumber([10, 20, 30])], []);
	assert.equal(renumber([10, 50, 20, 30, 40]).size, 1);
	assert.equal(renumber([20, 10, 30, 40]).size, 1);
	for (const numbers of [[0, 0, 0, 0], [3, 1, 2, 0], [5, 6, 7, 1], [1000000, 999999, 4], [30, 10, 20], [7, 7, 8, 2, 9, 9]]) {
		const changes = renumber(numbers);
		const now = numbers.map((value, i) => changes.get(i) ?? value);
		assert.ok(now.every((value, i) => Number.isInteger(value) && value >= 0 && value <= 1000000 &&
			(i === 0 || value > now[i - 1])), `${numbers}: ${now}`);
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
	const [course] = (await office.get("/courses")).items;
	assert.equal(course.isPublished, false);

	await school.open(page, "/office/courses");
	await page.getByRole("switch").check();
	await page.getByText("Published: English for beginners").waitFor();
	assert.equal((await office.get(`/courses/${course.id}`)).isPublished, true);
	await page.getByRole("button", { name: "Duplicate “English for beginners”" }).click();
	await page.getByText("This is a copy").waitFor();
	await page.getByRole("heading", { name: /English for beginners/ }).waitFor();
	assert.equal((await office.get("/courses")).items.length, 2);

	await school.open(page, `/office/courses/${course.id}`);
	await page.getByLabel("Title").fill("English A1");
	await admin.call("PATCH", `/courses/${course.id}`, { title: "English for all" });
	await page.getByRole("button", { name: "Save" }).click();
	await page.getByRole("dialog").getByText("English for all").waitFor();
	await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
	await page.getByRole("heading", { name: "English A1" }).waitFor();
	await office.look("office-course", `/office/courses/${course.id}`);
	await page.getByRole("button", { name: "Delete" }).click();
	await page.getByRole("alertdialog").getByText("This cannot be undone").waitFor();
	await page.getByRole("alertdialog").getByRole("button", { name: "Delete" }).click();
	await page.getByRole("heading", { name: "Courses" }).waitFor();
	await page.getByText("1 entry").waitFor();
	await office.look("office-courses", "/office/courses");
	checkProblems(page, phone);
});

test("courses are put into order by dragging and by keyboard, one request a move", async () => {
	for (const { id } of (await office.get("/courses")).items)
		await admin.call("DELETE", `/courses/${id}`);
	for (const [i, title] of ["one", "two", "three", "four"].entries())
		await admin.call("POST", "/courses", { title, language: "en", order: (i + 1) * 10 });
	const sent = [];
	page.on("request", (request) => request.method() === "PATCH" && sent.push(request.postData()));
	await office.look("office-courses-order", "/office/courses?view=order");
	const titles = () => page.locator(".part-title").allTextContents();
	const stored = async () => (await office.get("/courses?sort=order")).items.map((course) => course.title);

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

test("a test is made: questions and options are edited in place, levels are checked, errors stand where they belong",
	async () => {
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
	const [{ id }] = (await office.get("/proficiency-tests")).items;
	const { questions } = await office.get(`/proficiency-tests/${id}`);
	assert.deepEqual(questions.map(({ text, options }) =>
		[text, options.map((option) => `${option.text}${option.isCorrect ? "*" : ""}`).join()]),
		[["I ___ here.", "am*,is"], ["You ___ here.", "is,are*"]]);

	await office.look("office-test", `/office/tests/${id}`);
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
	const made = (await admin.call("POST", "/proficiency-tests",
		{ title: "Shared", targetLanguage: "en", questions: [question("one"), question("two")], levelRanges: RANGES })).data;
	await school.open(page, `/office/tests/${made.id}`);
	await page.getByRole("button", { name: "Move down: Question 1" }).click();
	// Leaving is asked about; staying keeps what was done.
	page.once("dialog", (dialog) => dialog.dismiss());
	await page.getByRole("link", { name: "All tests" }).click();
	await until(() => page.url().endsWith(made.id), "the screen stays");
	assert.match(await page.locator(".part-title").first().textContent(), /two/);

	await admin.call("PATCH", `/proficiency-tests/${made.id}`,
		{ questions: [question("one"), question("two"), question("three of somebody else")] });
	await page.getByRole("button", { name: "Save" }).click();
	const dialog = page.getByRole("dialog");
	await dialog.getByText("3 questions").waitFor();
	const text = await dialog.textContent();
	assert.match(text, /three of somebody else/);
	assert.doesNotMatch(text, /isCorrect|[{}]/);
	await checkAccess(page);
	await shot(page, "office-test-conflict-desktop-light");
	await office.save(page, dialog);
	assert.deepEqual((await office.get(`/proficiency-tests/${made.id}`)).questions.map((one) => one.text), ["two", "one"]);

	await page.locator(".part").first().getByRole("textbox", { name: "Question" }).fill("two, edited");
	let asked = 0;
	page.once("dialog", (dialog) => {
		asked++;
		dialog.dismiss();
	});
	await page.getByRole("link", { name: "All tests" }).click();
	await until(() => asked, "leaving is asked about");
	await page.locator(".part").nth(1).getByLabel("Option 2", { exact: true }).fill("wrong, edited");
	await office.save();
	assert.deepEqual((await office.get(`/proficiency-tests/${made.id}`)).questions.map((one) => [one.text, one.options[1].text]),
		[["two, edited", "wrong"], ["one", "wrong, edited"]]);
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
	await page.locator("input[type=file]").setInputFiles({ name: "questions.txt", mimeType: "text/plain",
		buffer: Buffer.from("I {=am ~is} here.\n\nYou {=are ~is} here.\n") });
	await until(async () => /You/.test(await text.inputValue()), "the file is read");
	await page.getByRole("button", { name: "Import" }).click();
	await page.getByText("A test of 2 questions was made").waitFor();
	await page.getByRole("heading", { name: "From Moodle" }).waitFor();
	await office.look("office-gift", "/office/tests/import");
	await office.look("office-tests", "/office/tests");
	const [file] = await Promise.all([page.waitForEvent("download"),
		page.getByRole("button", { name: "Export “From Moodle” as GIFT" }).click()]);
	assert.match(fs.readFileSync(await file.path(), "utf8"), /^\[plain\]You _+ here\.\{\s+=are\s+~is\s+\}/m);
	checkProblems(page, phone);
});

test("statistics mark the questions that measure nothing, and say why", async () => {
	const made = (await admin.call("POST", "/proficiency-tests", {
		title: "Measured", targetLanguage: "en", isPublished: true, maxAttempts: 0,
			questions: [question("known by all"), question("tells"), question("turned round")], levelRanges: RANGES,
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
	await office.look("office-statistics", `/office/tests/${made.id}/statistics`);
	const text = await page.locator("main").textContent();
	assert.match(text, /Only 4 attempts/);
	assert.match(text, /known by all.*Measures nothing: everybody has it right/s);
	assert.match(text, /Measures the opposite/);
	checkProblems(page, phone);
});

test("a server that asks to wait is waited for, and nothing is lost", async () => {
	const made = (await admin.call("POST", "/courses", { title: "Patient", language: "en" })).data;
	await school.open(page, "/office/courses?search=Patient");
	await page.route(/duplicate/, (route) => route.fulfill({
		status: 429, headers: { "Retry-After": "2" }, contentType: "application/json",
			body: JSON.stringify({ isSuccess: false, data: null, errors: ["Too many requests"] }),
	}), { times: 1 });
	const button = page.getByRole("button", { name: "Duplicate “Patient”" });
	await button.click();
	await page.getByText("Too many requests").waitFor();
	assert.equal(await button.isDisabled(), true);
	await checkAccess(page);
	await button.click();	// waits until it may be pressed
	await page.getByText("This is a copy").waitFor();

	await school.open(page, `/office/courses/${made.id}`);
	await page.getByLabel("Title").fill("Typed while the server was away");
	await page.route(/courses/, (route) => route.abort(), { times: 1 });
	await page.getByRole("button", { name: "Save" }).click();
	await page.getByText("The server cannot be reached").waitFor();
	assert.equal(await page.getByLabel("Title").inputValue(), "Typed while the server was away");
	await office.save();
	checkProblems(page);
});
