// Login, registration, profile and sessions.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { checkAccess, checkLayout, checkProblems, DESKTOP, PHONE, School, shot } from "./school.js";

let school;
before(async () => {
	school = await School.start();
	school.ctl("user", "add", "office@example.com", "--role", "superadmin");	// without one the first screen asks for one
});
after(() => school.stop());

async function look(page, name) {
	await checkLayout(page);
	await checkAccess(page);
	await shot(page, name);
}

test("somebody new logs in with a code, mistypes it first, and registers", async () => {
	const page = await school.page({ size: PHONE });
	await school.open(page, "/login");
	await look(page, "login-phone");
	await page.getByRole("button", { name: "Send me a code" }).click();
	await page.getByText("Please type an e-mail address").waitFor();
	await page.getByLabel("E-mail address").fill("new@example.com");
	await page.getByRole("button", { name: "Send me a code" }).click();
	const code = await school.code("new@example.com");
	const input = page.getByRole("textbox", { name: "Code" });
	await input.waitFor();
	await look(page, "login-code-phone");
	await input.fill(code === "000000" ? "000001" : "000000");
	await page.getByRole("alert").waitFor();
	assert.match(await page.getByRole("alert").textContent(), /code/i);
	// Pasted with a hyphen, as some mail programs show it.
	await input.fill("");
	await input.evaluate((element, text) => {
		element.value = text;
		element.dispatchEvent(new Event("input", { bubbles: true }));
	}, `${code.slice(0, 3)}-${code.slice(3)}`);
	await page.getByRole("heading", { name: "Almost done" }).waitFor();
	await look(page, "register-phone");
	await page.getByRole("button", { name: "Complete the registration" }).click();
	assert.equal(await page.locator(".error p").count() >= 4, true);
	await page.getByLabel("First name").fill("Zeynep");
	await page.getByLabel("Last name").fill("Kaya");
	await page.getByLabel("I have read the privacy policy").check();
	await page.getByLabel("I accept the terms of use").check();
	await page.getByRole("button", { name: "Complete the registration" }).click();
	await page.getByRole("heading", { name: "Hello, Zeynep" }).waitFor();
	await look(page, "home-phone");
	checkProblems(page);
});

test("a profile is changed; two tabs changing it see both versions", async () => {
	await school.person("profile@example.com");
	const page = await school.page({ size: DESKTOP });
	await school.enter(page, "profile@example.com");
	await school.open(page, "/profile");
	await page.getByLabel("About me").waitFor();
	await look(page, "profile-desktop");
	const other = await page.context().newPage();
	await school.open(other, "/profile");
	await other.getByLabel("About me").fill("from the other tab");
	await other.getByRole("button", { name: "Save" }).click();
	await other.getByText("Saved", { exact: true }).waitFor();
	await page.getByLabel("About me").fill("from this tab");
	await page.getByRole("button", { name: "Save" }).click();
	const dialog = page.getByRole("dialog");
	await dialog.waitFor();
	await look(page, "conflict-desktop");
	assert.match(await dialog.textContent(), /from the other tab.*from this tab/s);
	await dialog.getByRole("button", { name: "Save" }).click();
	await page.getByText("Saved", { exact: true }).waitFor();
	assert.equal(await page.getByLabel("About me").inputValue(), "from this tab");
	checkProblems(page);
});

test("an access token that ends in the middle of a form is renewed; a session that is over asks for a code", async () => {
	const person = await school.person("over@example.com");
	const page = await school.page();
	await school.enter(page, "over@example.com");
	await school.open(page, "/profile");
	await page.getByLabel("About me").fill("typed before");
	// The access token no longer counts; the refresh token does.
	await page.evaluate(() => {
		const kept = JSON.parse(localStorage.getItem("okul.session"));
		localStorage.setItem("okul.session", JSON.stringify({ ...kept, accessToken: `${kept.accessToken.slice(0, -6)}AAAAAA` }));
	});
	await page.getByRole("button", { name: "Save" }).click();
	await page.getByText("Saved", { exact: true }).waitFor();
	await page.getByLabel("About me").fill("typed before the end");
	for (const { id } of (await person.call("GET", "/auth/sessions")).data)
		await person.call("DELETE", `/auth/sessions/${id}`).catch(() => {});
	await page.getByRole("button", { name: "Save" }).click();
	const dialog = page.getByRole("dialog");
	await dialog.waitFor();
	await look(page, "login-again-desktop");
	const before = school.codes("over@example.com").length;
	school.advance(61);
	await dialog.getByRole("button", { name: "Send me a code" }).click();
	await dialog.getByRole("textbox", { name: "Code" }).fill(await school.code("over@example.com", before));
	await dialog.waitFor({ state: "detached" });
	await page.getByText("Saved", { exact: true }).last().waitFor();
	assert.equal(await page.getByLabel("About me").inputValue(), "typed before the end");
	checkProblems(page);
});

test("sessions are listed and ended", async () => {
	await school.person("sessions@example.com");
	const page = await school.page({ size: PHONE, dark: true });
	await school.enter(page, "sessions@example.com");
	await school.open(page, "/sessions");
	await page.getByText("this one").waitFor();
	await look(page, "sessions-phone-dark");
	await page.getByRole("button", { name: "End all others" }).click();
	await page.getByText("Ended").waitFor();
	assert.equal(await page.locator(".row-card").count(), 1);
	await page.getByRole("button", { name: "End all, and log out" }).click();
	await page.getByRole("heading", { name: "Welcome" }).waitFor();
	checkProblems(page);
});

test("an account's deletion is asked for, and cancelled", async () => {
	await school.person("leaving@example.com");
	const page = await school.page({ size: PHONE });
	await school.enter(page, "leaving@example.com");
	await school.open(page, "/profile");
	await page.getByRole("button", { name: "Delete my account" }).click();
	await page.getByRole("alertdialog").getByRole("button", { name: "Delete my account" }).click();
	await page.getByRole("heading", { name: "Your account will be deleted" }).waitFor();
	await look(page, "leaving-phone");
	// Every address leads here, also after the page is loaded again.
	await school.open(page, "/courses");
	await page.reload();
	await page.getByRole("heading", { name: "Your account will be deleted" }).waitFor();
	const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Download my data" }).click()]);
	assert.match(file.suggestedFilename(), /\.json$/);
	await page.getByRole("button", { name: "Keep my account" }).click();
	await page.getByText("Your account stays").waitFor();
	await page.getByRole("heading", { name: "Courses" }).waitFor();
	checkProblems(page);
});
