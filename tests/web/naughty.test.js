// Every text field of the API is filled with 500 hostile texts, and every screen that shows them is visited at 390 px: no script
// runs, nothing is loaded that the Content-Security-Policy forbids, no dialog opens, and the layout holds.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { packed, payloads } from "./naughty.js";
import { PDF } from "./office.js";
import { checkLayout, PHONE, School } from "./school.js";

const AT_ONCE = 8;	// requests
const RANGES = [{ level: "A1", minScore: 0, maxScore: 50 }, { level: "B1", minScore: 50, maxScore: 100 }];
const texts = payloads();
const pieces = new Map();

/** The piece number `i` of all texts, for a field of that size; begins anew when all have been used. */
function piece(limit, i) {
	if (!pieces.has(limit))
		pieces.set(limit, packed(texts, limit));
	return pieces.get(limit)[i % pieces.get(limit).length];
}
const count = (limit) => piece(limit, 0) && pieces.get(limit).length;

/** An address with as much of a piece as there is room for; the API takes no other signs than those of an address. */
function addressOf(limit, i) {
	let address = "/";
	for (const sign of piece(limit, i))
		if (address.length + encodeURIComponent(sign).length <= limit)
			address += encodeURIComponent(sign);
	return address;
}

/** Makes `n` rows, some at once. @returns their data */
async function rows(n, make) {
	const made = [];
	let next = 0;
	await Promise.all(Array.from({ length: AT_ONCE }, async () => {
		while (next < n) {
			const i = next++;
			made[i] = (await make(i)).data;
		}
	}));
	return made;
}

let school;
let admin;
let learner;
before(async () => {
	school = await School.start({ demo: ["--courses", "1", "--results", "1", "--users", String(count(64))] });
	admin = await school.person("office@example.com", { role: "superadmin", name: piece(100, 0), surname: piece(100, 1) });
	learner = await school.person("learner@example.com", { name: piece(100, 2), surname: piece(100, 3) });
});
after(() => school.stop());

test("there are 500 different texts, and pieces keep the limit of a field", () => {
	assert.equal(texts.length, 500);
	assert.equal(new Set(texts).size, 500);
	for (const limit of [50, 64, 200])
		assert.ok(packed(texts, limit).every((one) => [...one].length <= limit));
	assert.deepEqual(packed(["a", "b", "ccc"], 3), ["a b", "ccc"]);
});

async function fillSchool() {
	const users = [];
	for (let page = 1, pages = 1; page <= pages; page++) {
		const { items, pagination } = (await admin.call("GET", `/users?role=user&limit=100&page=${page}`)).data;
		users.push(...items.filter((user) => user.email !== "office@example.com"));
		pages = pagination.totalPages;
	}
	await rows(users.length, (i) => admin.call("PATCH", `/admin/users/${users[i].id}/profile`, {
		name: piece(100, i), surname: piece(100, i + 7), expertise: piece(64, i), bio: piece(500, i),
			interests: Array.from({ length: 20 }, (_, k) => piece(50, 20 * i + k)),
		instagram: piece(64, i), x: piece(64, i), tiktok: piece(64, i), snapchat: piece(64, i), facebook: piece(64, i),
		profilePhoto: addressOf(512, i),
	}));
	const courses = await rows(count(200), (i) => admin.call("POST", "/courses", {
		title: piece(200, i), description: piece(20000, i), language: "en", isPublished: true, imageUrl: addressOf(2048, i),
	}));
	const question = (k) => ({
		text: piece(4000, k), mediaUrl: addressOf(2048, k),
			options: [{ text: piece(1000, 3 * k), isCorrect: true }, { text: piece(1000, 3 * k + 1), isCorrect: false },
			{ text: piece(1000, 3 * k + 2), isCorrect: false }],
	});
	const tests = await rows(count(200), (i) => admin.call("POST", "/proficiency-tests", {
		title: piece(200, i), description: piece(5000, i), targetLanguage: piece(8, i).length > 1 ? piece(8, i) : "en",
			maxAttempts: 0, levelRanges: RANGES,
		questions: i ? [question(i)] : Array.from({ length: Math.max(count(4000), Math.ceil(count(1000) / 3)) },
			(_, k) => question(k)),
	}));
	const materials = await rows(count(200), (i) => admin.call("POST", "/education-materials", {
		title: piece(200, i), description: piece(5000, i), locale: "en",
		videos: i < 4 ? Array.from({ length: 50 }, (_, k) => ({ title: piece(200, 50 * i + k), url: addressOf(2048, k) })) : [],
	}));
	await rows(count(1000), (i) =>
		admin.call("POST", `/education-materials/${materials[i].id}/assign`,
		{ userIds: [learner.user.id], note: piece(1000, i) }));
	const contacts = await rows(count(64), (i) => school.call("POST", "/contact", {
		fullName: piece(200, i), email: "somebody@example.com", subject: piece(200, i + 3), message: piece(5000, i),
			source: piece(64, i), language: "en",
	}));
	await rows(3, (i) => admin.call("POST", `/contact/${contacts[i].id}/reply`, { message: piece(10000, i) }));
	const values = [(i) => piece(2000, i), (i) => [piece(2000, i), piece(200, i)], (i) => ({ [piece(50, i)]: piece(2000, i) })];
	await rows(count(500), (i) => admin.call("POST", "/settings",
		{ key: `naughty.${i}`, value: values[i % 3](i), description: piece(500, i) }));
	await rows(20, (i) => {
		const form = new FormData();
		form.append("folder", "private");
		form.append("file", new File([PDF], `${piece(200, i)}.pdf`, { type: "application/pdf" }));
		return admin.call("POST", "/storage/upload", form);
	});
	const started = (await learner.call("POST", `/proficiency-tests/${tests[0].id}/start`)).data;
	const { data: result } = await learner.call("POST", `/proficiency-tests/${tests[0].id}/submit`, {
		answers: started.questions.map((one) => ({ questionId: one.id, optionId: one.options[0].id })),
	});
	return { users, courses, tests, materials, contacts, result };
}

/** A browser that remembers what must not happen. */
async function watched(email) {
	const page = await school.page({ size: PHONE });
	page.dialogs = [];
	page.on("dialog", (dialog) => {
		page.dialogs.push(dialog.message());
		dialog.dismiss();
	});
	await page.addInitScript(() => {
		window.violations = [];
		document.addEventListener("securitypolicyviolation",
			(event) => window.violations.push(`${event.violatedDirective} ${event.blockedURI}`));
	});
	school.advance(61);	// the next code
	await school.enter(page, email);
	await page.goto("about:blank");
	return page;
}

async function visit(page, address) {
	// The app hears of the address before the listener that is added here: the old screen is not taken for the new one.
	if (page.url().includes("/app/"))
		await page.evaluate((to) => new Promise((resolve) => {
			addEventListener("hashchange", resolve, { once: true });
			location.hash = to;
		}), `#${address}`);
	else
		await page.goto(`${school.url}/app/#${address}`);
	await page.waitForSelector("main:not([aria-busy]) h1");
	await page.waitForFunction(() => !document.querySelector(".results[aria-busy=true]"));
	const found = await page.evaluate(() => ({ ran: "__xss" in window, violations: window.violations }));
	assert.deepEqual({ ...found, dialogs: page.dialogs, problems: page.problems },
		{ ran: false, violations: [], dialogs: [], problems: [] }, address);
	await checkLayout(page).catch((error) => {
		throw new Error(`${address}: ${error.message}`);
	});
}

const pagesOf = (address, n) => Array.from({ length: Math.ceil(n / 100) }, (_, i) => `${address}?limit=100&page=${i + 1}`);

test("hostile texts run nowhere and break no screen", { timeout: 120000 }, async () => {
	const { users, courses, tests, materials, contacts, result } = await fillSchool();
	const response = await fetch(`${school.url}/app/`);
	assert.match(response.headers.get("content-security-policy"), /default-src 'self'/);
	const office = await watched("office@example.com");
	for (const address of [
		"/office", ...pagesOf("/office/users", users.length), ...pagesOf("/office/courses", courses.length),
			"/office/courses?view=order", ...pagesOf("/office/tests", tests.length),
		"/office/results", `/office/results/${result.id}`, ...pagesOf("/office/materials", materials.length),
			...pagesOf("/office/contacts", contacts.length), "/office/files?limit=100",
		...pagesOf("/office/settings", count(500)), "/office/audit", ...[0, 1, 2].map((i) => `/office/settings/naughty.${i}`),
			...users.slice(0, 3).map(({ id }) => `/office/users/${id}`),
		...courses.slice(0, 2).map(({ id }) => `/office/courses/${id}`), `/office/tests/${tests[0].id}`,
			`/office/tests/${tests[0].id}/statistics`,
		...materials.slice(0, 4).map(({ id }) => `/office/materials/${id}`),
			...contacts.slice(0, 5).map(({ id }) => `/office/contacts/${id}`), "/profile", "/",
	])
		await visit(office, address);
	school.advance(61);
	const program = texts.filter((text) => /^[ -~]+$/.test(text)).slice(0, 6).join(" ");	// a header takes ASCII alone
	await school.logIn("learner@example.com", { "User-Agent": program });
	const person = await watched("learner@example.com");
	for (const address of [
		"/", ...pagesOf("/courses", courses.length), ...courses.slice(0, 2).map(({ id }) => `/courses/${id}`),
			...pagesOf("/tests", tests.length), ...tests.slice(0, 5).map(({ id }) => `/tests/${id}`),
		`/tests/${tests[0].id}/take`, "/results", `/results/${result.id}`, "/materials", "/contact", "/profile", "/sessions",
	])
		await visit(person, address);
	assert.match(await person.locator("main").textContent(), new RegExp(program.slice(0, 20).replace(/\W/g, ".")));
	// What stands in the address is a text of somebody else, too.
	for (const text of texts.slice(0, 40))
		await visit(person, `/courses?search=${encodeURIComponent([...text].slice(0, 90).join(""))}`);
	for (const text of texts.slice(40, 60))
		await visit(person, `/contact?subject=${encodeURIComponent(text)}`);
});
