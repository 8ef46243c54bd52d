// From an empty folder to a learner's level and an answered question, in the browser alone: what `make run` prints is the only thing
// that is read elsewhere, beside the mails.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { PDF } from "./office.js";
import { checkProblems, DESKTOP, PHONE, School, shot, until } from "./school.js";

let school;
before(async () => (school = await School.start()));
after(() => school.stop());

const GIFT = Array.from({ length: 10 }, (_, i) => `Number ${i + 1}: she {=goes ~go ~going} to school.\n`).join("\n");

async function logIn(page, email) {
	const before = school.codes(email).length;
	await page.getByLabel("E-mail address").fill(email);
	await page.getByRole("button", { name: "Send me a code" }).click();
	await page.getByRole("textbox", { name: "Code" }).fill(await school.code(email, before));
}

test("a school from nothing", async () => {
	// ---- the first screen of an empty school
	const office = await school.page({ size: DESKTOP });
	const link = await until(() => /http\S+setup\?code=\S+/.exec(school.output)?.[0], "the address is printed");
	await school.open(office, "/");
	await office.getByRole("heading", { name: "A new school" }).waitFor();
	await office.getByLabel("Code").fill("WRONG-CODE");
	const fill = async () => {
		await office.getByLabel("E-mail address").fill("deniz@example.com");
		await office.getByLabel("First name").fill("Deniz");
		await office.getByLabel("Last name").fill("Ak");
		await office.getByLabel("I have read the privacy policy").check();
		await office.getByLabel("I accept the terms of use").check();
		await office.getByRole("button", { name: "Become the administrator" }).click();
	};
	await fill();
	await office.getByText("The code is wrong").waitFor();
	await office.goto(link);
	await office.reload();
	await fill();
	await office.getByRole("heading", { level: 1, name: "Dashboard" }).waitFor();
	await shot(office, "journey-dashboard-empty");

	// ---- a course, and a test of ten questions
	await school.open(office, "/office/courses/new");
	await office.getByLabel("Title").fill("English A1");
	await office.locator("form").getByLabel("Language").selectOption("en");
	await office.locator("[data-name=isPublished] input").check();
	await office.getByRole("button", { name: "Save" }).click();
	await office.getByRole("heading", { level: 1, name: "English A1" }).waitFor();
	await school.open(office, "/office/tests/import");
	await office.locator("[data-name=title] input").fill("English placement");
	await office.locator("[data-name=targetLanguage] input").fill("en");
	await office.locator("[data-name=isPublished] input").check();
	await office.getByLabel("Questions as text").fill(GIFT);
	await office.getByRole("button", { name: "Import" }).click();
	await office.getByText("A test of 10 questions was made").waitFor();

	// ---- a learner in a second browser
	const learner = await school.page({ size: PHONE });
	await school.open(learner, "/courses");
	await learner.getByRole("link", { name: "English A1" }).waitFor();
	await school.open(learner, "/tests");
	await learner.getByRole("link", { name: "English placement" }).click();
	await learner.getByRole("link", { name: "Log in to take the test" }).click();
	await logIn(learner, "zeynep@example.com");
	await learner.getByLabel("First name").fill("Zeynep");
	await learner.getByLabel("Last name").fill("Kaya");
	await learner.getByLabel("I have read the privacy policy").check();
	await learner.getByLabel("I accept the terms of use").check();
	await learner.getByRole("button", { name: "Complete the registration" }).click();
	// The login and the registration lead back to the test.
	await learner.getByRole("link", { name: "Begin, or go on" }).click();
	for (let i = 1; i <= 10; i++) {
		await learner.getByRole("group", { name: `Question ${i} of` }).getByLabel(i <= 8 ? "goes" : "going", { exact: true }).check();
		if (i < 10)
			await learner.getByRole("button", { name: "Next" }).click();
	}
	await learner.getByRole("button", { name: "Hand in" }).click();
	await learner.getByText(/^Level: /).waitFor();
	assert.match(await learner.locator("main").textContent(), /8 of 10/);

	// ---- a material for the learner
	await school.open(office, "/office/materials/new");
	await office.getByLabel("Title").first().fill("First words");
	await office.locator("form").getByLabel("Language").selectOption("en");
	await office.getByRole("button", { name: "Save, then add PDFs" }).click();
	await office.getByRole("heading", { level: 1, name: "First words" }).waitFor();
	await office.locator("input[type=file]").setInputFiles({ name: "words.pdf", mimeType: "application/pdf", buffer: PDF });
	await office.getByRole("link", { name: /words/ }).waitFor();
	await office.getByLabel("Search people").fill("zeynep");
	await office.getByRole("button", { name: /Zeynep Kaya/ }).click();
	await office.getByRole("button", { name: "Give it to 1 person" }).click();
	await office.getByText("1 person has it now").waitFor();
	await school.open(learner, "/materials");
	const url = await learner.getByRole("link", { name: /words/ }).getAttribute("href");
	assert.equal((await learner.request.get(new URL(url, school.url).href)).status(), 200);
	await office.reload();
	await office.getByRole("row", { name: /Zeynep Kaya/ }).waitFor();
	await until(async () => !/not opened/.test(await office.getByRole("row", { name: /Zeynep Kaya/ }).textContent()), "the office sees that it was opened");

	// ---- a question, and its answer by mail
	await school.open(learner, "/contact");
	await learner.getByLabel("Message").fill("When does the course begin?");
	await learner.getByRole("button", { name: "Send" }).click();
	await learner.getByRole("heading", { name: "Thank you" }).waitFor();
	await school.open(office, "/office/contacts");
	await office.getByRole("link", { name: "Zeynep Kaya" }).click();
	await office.getByLabel("Message").fill("On the first of March.");
	await office.getByRole("button", { name: "Send the answer" }).click();
	await office.getByText("The answer is on its way").waitFor();
	await until(() => school.mails("zeynep@example.com").some((mail) => mail.includes("On the first of March.")), "the answer is mailed");
	checkProblems(office, learner);
});
