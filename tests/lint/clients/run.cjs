// Runs the three journeys against a server of their own: run.cjs FOLDER-OF-THE-BUILD FOLDER-OF-THE-COMPILED-JOURNEYS
"use strict";
const assert = require("node:assert/strict");
const { execFileSync, spawn } = require("node:child_process");
const fs = require("node:fs");
const net = require("node:net");
const os = require("node:os");
const path = require("node:path");

const [build, compiled] = process.argv.slice(2).map((folder) => path.resolve(folder));
const data = fs.mkdtempSync(path.join(os.tmpdir(), "okul-clients-"));
const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** What `look` gives, as soon as it gives something. */
async function until(look, what) {
	for (let tries = 0; tries < 400; tries++) {
		const found = await look();
		if (found)
			return found;
		await wait(50);
	}
	throw new Error(`${what} did not come within 20 s`);
}

function freePort() {
	return new Promise((resolve) => {
		const server = net.createServer().listen(0, "127.0.0.1", () => {
			const { port } = server.address();
			server.close(() => resolve(port));
		});
	});
}

const read = new Set();

/** The code of the newest mail to an address that was not read yet. */
function mailed(address) {
	return until(() => {
		for (const name of fs.existsSync(`${data}/mail`) ? fs.readdirSync(`${data}/mail`).sort().reverse() : []) {
			const text = name.endsWith(".eml") && !read.has(name) ? fs.readFileSync(`${data}/mail/${name}`, "utf8") : "";
			const code = text.includes(`To: ${address}`) && text.match(/^\d{6}/m);
			if (code) {
				read.add(name);
				return code[0];
			}
		}
		return null;
	}, `the code for ${address}`);
}

// A picture of one black pixel.
const pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==";

async function main() {
	const port = await freePort(), base = `http://127.0.0.1:${port}`;
	const env = { ...process.env, OKUL_ENV: "development", OKUL_MAIL_TRANSPORT: "file", OKUL_LIMITS: "off",
		OKUL_DELIVERY: "x-accel", OKUL_BASE_URL: base };
	const okulctl = (...words) => execFileSync(`${build}/okulctl`, ["-d", data, ...words], { env, stdio: ["ignore", "ignore", "pipe"] });

	okulctl("migrate");
	const server = spawn(`${build}/okulctl`, ["-d", data, "serve", "--port", String(port)], { env, stdio: "ignore" });
	try {
		await until(() => fetch(`${base}/health`).then((answer) => answer.ok, () => false), "the server");
		// What orval makes asks for paths, as a page of the same site does.
		const plain = globalThis.fetch;
		globalThis.fetch = (input, init) => plain(typeof input === "string" ? new URL(input, base) : input, init);
		const photo = new (globalThis.File ?? require("node:buffer").File)([Buffer.from(pixel, "base64")], "photo.png", { type: "image/png" });
		for (const name of ["fetch", "orval", "swagger"]) {
			const boss = `boss-${name}@example.com`, newcomer = `new-${name}@example.com`;
			const { journey } = require(path.join(compiled, `${name}.js`));
			okulctl("user", "add", boss, "--role", "superadmin");
			const places = name === "orval" ? [] : [base];
			const seen = await journey(...places, boss, newcomer, photo, mailed);
			const { role, level, file, assigned, trends, newest } = seen;
			assert.deepEqual({ name, role, level, file, assigned, trends, newest, faults: seen.faults.length },
				{ name, role: "user", level: "A1", file: "image/png", assigned: 1, trends: 3, newest: newcomer, faults: 2 });
			assert.ok(seen.expiresIn > 0 && seen.first && seen.actions.length > 0, `${name}: ${JSON.stringify(seen)}`);
		}
	} finally {
		server.kill("SIGTERM");
		await new Promise((resolve) => server.on("exit", resolve));
		fs.rmSync(data, { recursive: true });
	}
}

main().catch((failure) => {
	console.log(`the journeys: ${failure.stack}${failure.errors ? " " + JSON.stringify(failure.errors) : ""}`);
	process.exitCode = 1;
});
