// What the office does with people, results and contact requests, and the school in numbers.
import assert from "node:assert/strict";
import fs from "node:fs";
import { after, before, test } from "node:test";
import { checkAccess, checkLayout, checkProblems, DESKTOP, PHONE, School, shot } from "./school.js";

let school, admin;
before(async () => {
	school = await School.start({ demo: ["--courses", "5", "--results", "300", "--users", "60"] });
	admin = await school.person("admin@example.com", { role: "superadmin", name: "Deniz", surname: "Okul" });
});
after(() => school.stop());

async function look(page, name) {
	await checkLayout(page);
	await checkAccess(page);
	await shot(page, name);
}

/** A page in which the superadmin is logged in. */
async function office(options, address) {
	const page = await school.page(options);
	await page.goto(`${school.url}/app/icon.svg`);
	await page.evaluate((kept) => localStorage.setItem("okul.session", kept),
		JSON.stringify({ accessToken: admin.accessToken, refreshToken: admin.refreshToken, userId: admin.user.id }));
	await school.open(page, address);
	return page;
}

for (const [name, options] of [["phone", { size: PHONE, dark: true }], ["desktop", { size: DESKTOP }]]) {
	test(`the dashboard shows numbers and plots (${name})`, async () => {
		const page = await office(options, "/office");
		await page.locator("canvas").nth(3).waitFor();
		await page.waitForFunction(() => window.Chart && Object.keys(window.Chart.instances).length === 4);
		await look(page, `dashboard-${name}`);
		const { data } = await admin.call("GET", "/admin/dashboard/stats?months=6");
		assert.match(await page.locator(".numbers").textContent(), new RegExp(`Tests taken${data.overview.tests.totalSubmissions}`));
		await page.getByText("As a table").first().click();
		assert.equal(await page.locator("details[open] tbody tr").count(), 6);
		await page.getByLabel("Months").selectOption("12");
		await page.waitForFunction(() => document.querySelector("details tbody").rows.length === 12);
		await page.getByRole("link", { name: /Open contact requests/ }).click();
		await page.getByRole("heading", { level: 1, name: "Contact requests" }).waitFor();
		assert.equal(await page.getByLabel("Status").inputValue(), "PENDING");
		checkProblems(page);
	});

	test(`people are found, changed, deactivated and deleted (${name})`, async () => {
		const email = `pupil-${name}@example.com`;
		await school.person(email, { name: "Zeynep", surname: `Kaya ${name}` });
		const page = await office(options, "/office/users");
		await page.getByText(/entries/).waitFor();
		await look(page, `users-${name}`);
		await page.getByLabel("Search").fill(`kaya ${name}`);
		await page.getByText("1 entry", { exact: true }).waitFor();
		// The list is where it was when one comes back.
		await page.getByRole("link", { name: `Zeynep Kaya ${name}` }).click();
		await page.getByRole("heading", { level: 1, name: "Zeynep" }).waitFor();
		await page.goBack();
		await page.getByText("1 entry", { exact: true }).waitFor();
		assert.equal(await page.getByLabel("Search").inputValue(), `kaya ${name}`);
		await page.goForward();
		await page.getByLabel("About me").waitFor();
		await page.getByText("No material given yet").waitFor();
		await look(page, `user-${name}`);
		await page.getByLabel("Phone number").fill("12ab");
		await page.getByRole("button", { name: "Save" }).click();
		await page.getByText("Only digits").waitFor();
		await page.getByLabel("Phone number").fill("5372505890");
		await page.getByRole("button", { name: "Save" }).click();
		await page.getByText("Saved", { exact: true }).waitFor();
		await page.getByRole("textbox", { name: "E-mail address" }).fill("admin@example.com");
		await page.getByRole("button", { name: "Change the address" }).click();
		await page.getByRole("alert").filter({ hasText: /address/i }).first().waitFor();
		await page.getByRole("button", { name: "Deactivate" }).click();
		await page.getByRole("alertdialog").getByRole("button", { name: "Deactivate" }).click();
		await page.getByRole("button", { name: "Activate", exact: true }).waitFor();
		page.once("dialog", (dialog) => dialog.accept());
		await page.getByRole("button", { name: "Delete the user" }).click();
		await look(page, `user-delete-${name}`);
		await page.getByRole("alertdialog").getByRole("button", { name: "Delete the user" }).click();
		await page.getByRole("heading", { name: "Users" }).waitFor();
		assert.equal((await admin.call("GET", `/users?search=${encodeURIComponent(email)}`)).data.pagination.total, 0);
		checkProblems(page);
	});

	test(`results are filtered, opened and deleted; CSV (${name})`, async () => {
		const page = await office(options, "/office/results");
		await page.getByText(/entries/).waitFor();
		await look(page, `office-results-${name}`);
		const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "CSV" }).click()]);
		const total = (await admin.call("GET", "/proficiency-tests/admin/results")).data.pagination.total;
		assert.equal(fs.readFileSync(await file.path(), "utf8").trim().split("\r\n").length, total + 1);
		await page.getByLabel("Level").selectOption("A1");
		await page.waitForFunction(() => [...document.querySelectorAll("tbody td[data-label=Level]")].every((cell) => cell.textContent === "A1"));
		await page.locator("tbody th a").first().click();
		await page.getByText("The levels of this test").waitFor();
		await look(page, `office-result-${name}`);
		await page.getByRole("button", { name: "Delete the result" }).click();
		await page.getByRole("alertdialog").getByRole("button", { name: "Delete" }).click();
		await page.getByRole("heading", { name: "Results" }).waitFor();
		assert.equal((await admin.call("GET", "/proficiency-tests/admin/results")).data.pagination.total, total - 1);
		checkProblems(page);
	});

	test(`a contact request is answered, while somebody else is faster (${name})`, async () => {
		const page = await office(options, "/office/contacts?status=PENDING");
		const asked = (await school.call("POST", "/contact", { fullName: `Can ${name}`, email: "can@example.com", message: "When does A1 begin?\nAnd what does it cost?" })).data;
		await page.reload();
		await page.getByRole("link", { name: `Can ${name}` }).waitFor();
		await look(page, `contacts-${name}`);
		await page.getByRole("link", { name: `Can ${name}` }).click();
		await page.getByRole("button", { name: "Send the answer" }).click();
		await page.getByText("Please fill in this field").waitFor();
		await page.getByLabel("Message").fill("In March.");
		await look(page, `contact-${name}-office`);
		await admin.call("POST", `/contact/${asked.id}/reply`, { message: "In February." });
		await page.getByRole("button", { name: "Send the answer" }).click();
		await page.getByText("Somebody has answered already: In February.").waitFor();
		assert.equal(await page.getByLabel("Message").inputValue(), "In March.");
		page.once("dialog", (dialog) => dialog.accept());
		await page.reload();
		await page.getByText("In February.").waitFor();
		await page.getByRole("button", { name: "Mark as open" }).click();
		await page.getByText("Saved", { exact: true }).waitFor();
		checkProblems(page);
	});

	test(`who changed what (${name})`, async () => {
		const page = await office(options, "/office/audit");
		await page.getByText(/entr/).first().waitFor();
		await look(page, `audit-${name}`);
		checkProblems(page);
	});
}

test("a learner may not open the office", async () => {
	await school.person("curious@example.com");
	const page = await school.page();
	await school.enter(page, "curious@example.com");
	await school.open(page, "/office/users");
	await page.getByText("Your account may not open this page.").waitFor();
	assert.equal(await page.getByText("Contact requests").count(), 0);
	checkProblems(page);
});
