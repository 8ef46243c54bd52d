// A school that is served for a test: okulctl and nginx on a port of their own, with data that are removed at the end, and people
// in real browsers.
import { execFileSync, spawn } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));
export const BUILD = path.resolve(ROOT, process.env.OKUL_BUILD ?? "build/test");
const SHOTS = path.join(ROOT, "build/web");
const TRIES = 300;	// of 100 ms: the machine may be busy

export const PHONE = { width: 390, height: 844 };
export const DESKTOP = { width: 1280, height: 800 };

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Waits until `look` returns something. */
export async function until(look, what) {
	for (let i = 0; i < TRIES; i++) {
		const found = await look();
		if (found)
			return found;
		await sleep(100);
	}
	throw new Error(`never: ${what}`);
}

function freePort() {
	return new Promise((resolve) => {
		const server = net.createServer().listen(0, "127.0.0.1", () => {
			const { port } = server.address();
			server.close(() => resolve(port));
		});
	});
}

export class School {
	/**
	 * Starts a school.
	 * @param {{demo?: string[], env?: Object, build?: string}} [options] demo: words for `okulctl demo`, for a school with people and
	 *     results; build: its build folder
	 */
	static async start({ demo, env = {}, build = BUILD } = {}) {
		const school = new School();
		school.build = build;
		school.data = fs.mkdtempSync(path.join(os.tmpdir(), "okul-web-"));
		school.clock = path.join(school.data, "clock");
		school.offset = 0;
		school.advance(0);
		school.port = await freePort();
		school.url = `http://127.0.0.1:${school.port}`;
		school.env = {
			...process.env, OKUL_ENV: "development", OKUL_MAIL_TRANSPORT: "file", OKUL_LIMITS: "off", OKUL_DELIVERY: "x-accel",
			OKUL_BASE_URL: school.url, OKUL_CLOCK: school.clock, ...env,
		};
		school.ctl("migrate");
		if (demo)
			school.ctl("demo", ...demo);
		school.output = "";
		school.process = spawn(path.join(build, "okulctl"), ["-d", school.data, "serve", "--port", String(school.port)], { env: school.env });
		for (const stream of [school.process.stdout, school.process.stderr])
			stream.on("data", (text) => (school.output += text));
		school.ended = new Promise((resolve) => school.process.on("exit", resolve));
		await until(() => fetch(`${school.url}/health`).then((response) => response.ok, () => false), "the server responds");
		school.browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-dev-shm-usage"] });
		return school;
	}

	async stop() {
		await this.browser?.close();
		this.process.kill("SIGTERM");
		await this.ended;
		fs.rmSync(this.data, { recursive: true });
	}

	/** Sets the server's clock forward; that of the browser stays. The file is written in place, since the programs have it mapped. */
	advance(seconds) {
		const bytes = Buffer.alloc(8);
		bytes.writeBigInt64LE(BigInt((this.offset += seconds * 1000)));
		const file = fs.openSync(this.clock, fs.constants.O_RDWR | fs.constants.O_CREAT);
		fs.writeSync(file, bytes, 0, 8, 0);
		fs.closeSync(file);
	}

	/** Runs okulctl. */
	ctl(...words) {
		return execFileSync(path.join(this.build, "okulctl"), ["-d", this.data, ...words], { env: this.env, encoding: "utf8" });
	}

	/** Adds a person who has registered. @returns {Promise<Person>} with tokens for call() */
	async person(email, { role = "user", name = "Ayşe", surname = "Yılmaz", language = "en" } = {}) {
		this.ctl("user", "add", email, "--role", role);
		const { data } = await this.logIn(email);
		const call = (method, where, body) => this.call(method, where, body, data.accessToken);
		await call("POST", "/auth/registration/complete", { name, surname, language, privacyPolicyAccepted: true, termsOfUseAccepted: true });
		return { email, ...data, call };
	}

	/** A request to the API. @returns the envelope; throws when it is an error */
	async call(method, where, body, token, more) {
		const headers = { ...more, "Accept-Language": "en", ...(token && { Authorization: `Bearer ${token}` }) };
		if (body && !(body instanceof FormData))
			headers["Content-Type"] = "application/json";
		const response = await fetch(this.url + where, { method, headers, body: body instanceof FormData ? body : body && JSON.stringify(body) });
		const envelope = await response.json();
		if (!response.ok)
			throw new Error(`${method} ${where}: ${response.status} ${envelope.errors}`);
		return envelope;
	}

	async logIn(email, headers) {
		const before = this.codes(email).length;
		await this.call("POST", "/auth/otp/request", { email, language: "en" });
		return this.call("POST", "/auth/otp/verify", { email, code: await this.code(email, before) }, null, headers);
	}

	/** The mails to an address, the newest last. */
	mails(email) {
		const folder = path.join(this.data, "mail");
		if (!fs.existsSync(folder))
			return [];
		return fs.readdirSync(folder).filter((name) => name.endsWith(".eml")).map((name) => path.join(folder, name))
			.map((file) => ({ at: fs.statSync(file).mtimeMs, text: fs.readFileSync(file, "utf8") }))
			.filter(({ text }) => text.includes(`To: ${email}`)).sort((a, b) => a.at - b.at).map(({ text }) => text);
	}

	/** The codes that were mailed to an address, the newest last. */
	codes(email) {
		return this.mails(email).map((text) => /^(\d{6})/m.exec(text)?.[1]).filter(Boolean);
	}

	/** The code that is mailed after `before` others. */
	code(email, before = 0) {
		return until(() => this.codes(email)[before] && this.codes(email).at(-1), `a code for ${email}`);
	}

	/**
	 * A browser of its own. Fails the test at the end when a page had an error or loaded something from elsewhere.
	 * @returns {Promise<import("playwright-core").Page>}
	 */
	async page({ size = DESKTOP, language = "en", dark = false, expectedErrors = /a^/ } = {}) {
		const context = await this.browser.newContext({
			viewport: size, locale: language, colorScheme: dark ? "dark" : "light", acceptDownloads: true, timezoneId: "Europe/Istanbul",
		});
		const page = await context.newPage();
		page.problems = [];
		page.on("pageerror", (error) => page.problems.push(`${error}\n${error.stack}`));
		page.on("console", (message) => {
			// A response that is no success is logged by the browser itself.
			if (message.type() === "error" && !/Failed to load resource/.test(message.text()) && !expectedErrors.test(message.text()))
				page.problems.push(message.text());
		});
		page.on("request", (request) => {
			if (!request.url().startsWith(this.url) && !/^(data|blob|about):/.test(request.url()))
				page.problems.push(`a request to elsewhere: ${request.url()}`);
		});
		page.setDefaultTimeout(30000);
		return page;
	}

	/** Opens an address of the app, and waits until its screen is there. */
	async open(page, address = "/") {
		const target = `${this.url}/app/#${address}`;
		await (page.url() === target ? page.reload() : page.goto(target));
		await page.waitForFunction(() => document.querySelector("main:not([aria-busy]) h1") && history.state?.shown === location.hash);
	}

	/** Puts tokens into a browser, as a login does. */
	async enter(page, email) {
		const { data } = await this.logIn(email);
		await page.goto(`${this.url}/app/icon.svg`);
		await page.evaluate(([accessToken, refreshToken, userId]) =>
			localStorage.setItem("okul.session", JSON.stringify({ accessToken, refreshToken, userId })), [data.accessToken, data.refreshToken, data.user.id]);
		return data;
	}
}

/** Keeps a screenshot for looking at, in build/web. */
export async function shot(page, name) {
	fs.mkdirSync(SHOTS, { recursive: true });
	await page.screenshot({ path: path.join(SHOTS, `${name}.png`), fullPage: true });
}

/** Fails when the page can be scrolled sideways, or text leaves its box. */
export async function checkLayout(page) {
	const wide = await page.evaluate(() => {
		const found = [];
		if (document.documentElement.scrollWidth > innerWidth + 1)
			found.push(`the page is ${document.documentElement.scrollWidth} px wide, by ${[...document.querySelectorAll("main *")]
				.filter((element) => element.getBoundingClientRect().right > innerWidth + 1).slice(0, 5).map((element) => `${element.tagName}.${element.className}`)}`);
		for (const element of document.querySelectorAll("button, a, th, td, h1, h2, label, dt, dd")) {
			const box = element.getBoundingClientRect();
			if (box.width && !element.closest(".scroll, .hidden, .skip, #menu") && (box.right > innerWidth + 1 || element.scrollWidth > element.clientWidth + 2 && getComputedStyle(element).display !== "inline"))
				found.push(`${element.tagName} "${element.textContent.trim().slice(0, 40)}"`);
		}
		return found;
	});
	if (wide.length)
		throw new Error(`too wide: ${wide.join("; ")}`);
}

/** Fails when axe-core finds something. */
export async function checkAccess(page) {
	if (!(await page.evaluate(() => "axe" in window)))
		await page.evaluate(fs.readFileSync(path.join(ROOT, "tests/web/node_modules/axe-core/axe.min.js"), "utf8"));
	const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
	if (violations.length)
		throw new Error(violations.map(({ id, help, nodes }) => `${id}: ${help}\n  ${nodes.map((node) => node.html).slice(0, 3).join("\n  ")}`).join("\n"));
}

/** At the end of a test: nothing went wrong unseen. */
export function checkProblems(...pages) {
	const problems = pages.flatMap((page) => page.problems);
	if (problems.length)
		throw new Error(problems.join("\n"));
}
