// The reference with "Try it", and the guides.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { checkAccess, checkLayout, checkProblems, DESKTOP, PHONE, School, shot } from "./school.js";

let school, admin;
before(async () => {
	school = await School.start();
	admin = await school.person("admin@example.com", { role: "superadmin" });
});
after(() => school.stop());

test("a route is tried with the token of the web app", async () => {
	const page = await school.page({ size: DESKTOP });
	await school.enter(page, "admin@example.com");
	await page.goto(`${school.url}/api/docs`);
	const route = (id) => page.locator(`#${id}`);
	await route("postCourses").getByText("Try it").click();
	await route("postCourses").getByRole("button", { name: "Send" }).click();
	await route("postCourses").getByText("201 Created").waitFor();
	await route("postCourses").scrollIntoViewIfNeeded();
	await page.screenshot({ path: "build/web/docs-desktop.png" });
	const { data } = await admin.call("GET", "/courses");
	assert.equal(data.pagination.total, 1);
	// Path and query.
	await route("getCoursesId").getByText("Try it").click();
	await route("getCoursesId").getByLabel("{id}").fill(data.items[0].id);
	await route("getCoursesId").getByRole("button", { name: "Send" }).click();
	await route("getCoursesId").getByText("200 OK").waitFor();
	assert.match(await route("getCoursesId").locator("output").textContent(), /etag: "/i);
	await route("getCourses").getByText("Try it").click();
	await route("getCourses").getByLabel("?limit").fill("1000");
	await route("getCourses").getByRole("button", { name: "Send" }).click();
	await route("getCourses").getByText("400 Bad Request").waitFor();
	// A file.
	await route("postStorageUpload").getByText("Try it").click();
	await route("postStorageUpload").getByLabel("form file").setInputFiles({ name: "a.png", mimeType: "image/png", buffer: Buffer.from(PNG, "base64") });
	await route("postStorageUpload").getByRole("button", { name: "Send" }).click();
	await route("postStorageUpload").getByText("201 Created").waitFor();
	// Without a token: 401.
	await route("getUsers").getByText("Try it").click();
	await route("getUsers").getByLabel("token").fill("");
	await route("getUsers").getByRole("button", { name: "Send" }).click();
	await route("getUsers").getByText("401 Unauthorized").waitFor();
	checkProblems(page);
});

for (const [name, options] of [["phone", { size: PHONE }], ["desktop-dark", { size: DESKTOP, dark: true }]])
	test(`the guides lead to each other (${name})`, async () => {
		const page = await school.page(options);
		await page.goto(`${school.url}/api/docs`);
		await page.getByRole("link", { name: "01 Overview" }).click();
		for (const title of ["Overview", "User guide", "Technical guide", "Operations"]) {
			await page.getByRole("link", { name: new RegExp(`0\\d ${title}`) }).click();
			await page.getByRole("heading", { level: 1, name: title }).waitFor();
			await checkLayout(page);
			await checkAccess(page);
			await shot(page, `guide-${title.toLowerCase().replace(" ", "-")}-${name}`);
		}
		const links = await page.evaluate(() => [...document.querySelectorAll("a")].map((link) => link.href));
		for (const link of links)
			assert.equal((await page.request.get(link)).status(), 200, link);
		checkProblems(page);
	});

const PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==";
