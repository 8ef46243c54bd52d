// Materials, files and settings in the office.
import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { Office, PDF } from "./office.js";
import { checkAccess, checkLayout, checkProblems, until } from "./school.js";

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

test("a material gets PDFs by choosing and dropping, is given by search and by pasted addresses, and taken back", async () => {
	const learner = await school.person("learner@example.com", { name: "Zeynep", surname: "Kaya" });
	await school.person("second@example.com", { name: "Second", surname: "Learner" });
	// The search for the second one's address finds all of these, the newest first.
	for (let i = 0; i < 21; i++)
		school.ctl("user", "add", `${i}second@example.com`, "--role", "user");
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
	const [{ id }] = (await office.get("/education-materials")).items;

	const files = page.locator("input[type=file]");
	await files.setInputFiles([{ name: "lesson.pdf", mimeType: "application/pdf", buffer: PDF },
		{ name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from("no") }]);
	await page.getByText("Only PDFs can be added here").waitFor();
	await page.getByRole("link", { name: /lesson/ }).waitFor();
	// A file that only calls itself a PDF is refused by the server, and what it says is shown.
	await files.setInputFiles({ name: "fake.pdf", mimeType: "application/pdf", buffer: Buffer.from("plain text") });
	await page.getByRole("button", { name: "Try again: fake.pdf" }).waitFor();
	await page.getByRole("button", { name: "Close: fake.pdf" }).click();
	await page.getByRole("button", { name: "Close: notes.txt" }).click();
	// Dropped, and cancelled while it is on its way.
	const held = [];
	await page.route(/education-materials/,
		(route) => (route.request().method() === "PATCH" ? held.push(route) : route.continue()));
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
	assert.equal((await office.get(`/education-materials/${id}`)).pdfs.length, 1);
	await page.dispatchEvent(".drop", "drop", { dataTransfer: data });
	await page.getByRole("link", { name: /dropped/ }).waitFor();
	assert.equal((await office.get(`/education-materials/${id}`)).pdfs.length, 2);
	// The form goes on with the material as it is now.
	await page.locator("[data-name=description] textarea").fill("To be read first");
	// A PDF that somebody else adds meanwhile is no conflict with what is typed here.
	const form = new FormData();
	form.append("pdfs", new File([PDF], "other.pdf", { type: "application/pdf" }));
	const { pdfs: [, , other] } = (await admin.call("PATCH", `/education-materials/${id}`, form)).data;
	await office.save();
	await admin.call("PATCH", `/education-materials/${id}`, { removePdfIds: [other.id] });
	await page.getByRole("button", { name: /Delete “dropped/ }).click();
	await page.getByRole("alertdialog").getByRole("button", { name: "Delete" }).click();
	await until(async () => (await office.get(`/education-materials/${id}`)).pdfs.length === 1, "the PDF is gone");

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
	await office.look("office-material", `/office/materials/${id}`);
	assert.equal((await learner.call("GET", "/education-materials/assigned/me")).data.materials[0].note, "Read page 1");
	await page.getByRole("row", { name: /Zeynep Kaya/ }).getByRole("button", { name: "Take back" }).click();
	await page.getByRole("alertdialog").getByText("Zeynep Kaya will no longer see this material").waitFor();
	await page.getByRole("alertdialog").getByRole("button", { name: "Take back" }).click();
	await page.getByText("Zeynep Kaya no longer has it").waitFor();
	assert.equal((await learner.call("GET", "/education-materials/assigned/me")).data.total, 0);
	await office.look("office-materials", "/office/materials");
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
	await checkAccess(page);
	await checkLayout(page);
	await office.look("office-files", "/office/files");
	await page.getByRole("button", { name: "Delete “lesson.pdf”" }).click();
	await page.getByRole("alertdialog").getByRole("button", { name: "Delete" }).click();
	await page.getByText("It belongs to the material “First words”.").waitFor();
	await page.getByRole("button", { name: "Delete “hello.pdf”" }).click();
	await page.getByRole("alertdialog").getByText("Links to it stop working").waitFor();
	await page.getByRole("alertdialog").getByRole("button", { name: "Delete" }).click();
	await page.getByRole("row", { name: /hello.pdf/ }).waitFor({ state: "detached" });
	assert.ok((await office.get("/storage/files")).items.every((file) => file.fileName !== "hello.pdf"));
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
	assert.strictEqual((await office.get("/settings/home.seats")).value, 12);

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
	await office.save(phone, phone.getByRole("dialog"));
	assert.deepEqual((await office.get("/settings/home.tags/history")).items.map(({ value, description, isPublic }) =>
		[value, description, isPublic]),
		[[["new", "old"], "Other words", false], [["other"], "Other words", false], [["new", "cheap"], "Words", false]]);
	await phone.getByRole("button", { name: "Restore" }).last().click();
	await until(async () => JSON.stringify((await office.get("/settings/home.tags")).value) === '["new","cheap"]',
		"the oldest value is back");
	await office.look("office-setting", "/office/settings/home.tags");
	await office.look("office-settings", "/office/settings");
	checkProblems(page, phone);
});
