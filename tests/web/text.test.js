// The four files of sentences have the same keys, with the same placeholders, and all that the app asks for.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { test } from "node:test";

const HTDOCS = fileURLToPath(new URL("../../htdocs", import.meta.url));
const read = (name) => JSON.parse(fs.readFileSync(path.join(HTDOCS, "lang", `${name}.json`), "utf8"));
const tables = Object.fromEntries(["tr", "en", "es", "de"].map((name) => [name, read(name)]));
const sources = fs.readdirSync(HTDOCS, { recursive: true }).filter((name) => name.endsWith(".js"))
	.map((name) => fs.readFileSync(path.join(HTDOCS, name), "utf8")).join("\n");
const placeholders = (sentence) => [...sentence.matchAll(/\{\w+\}/g)].map(String).sort();

for (const [name, table] of Object.entries(tables)) {
	test(`${name} has each sentence once, with its placeholders`, () => {
		assert.deepEqual(Object.keys(table).sort(), Object.keys(tables.en).sort());
		for (const [key, sentence] of Object.entries(table)) {
			assert.notEqual(sentence.trim(), "", key);
			assert.deepEqual(placeholders(sentence), placeholders(tables.en[key]), key);
		}
		const keys = fs.readFileSync(path.join(HTDOCS, "lang", `${name}.json`), "utf8").match(/^ "[^"]+":/gm);
		assert.equal(keys.length, new Set(keys).size, "a key twice");
	});
}

test("each sentence that the app asks for is there, and each that is there is asked for", () => {
	const known = Object.keys(tables.en);
	const asked = new Set([...sources.matchAll(/\bt\(\s*"([^"]+)"/g)].map((match) => match[1]));
	// t(condition ? "a" : "b")
	for (const [, inner] of sources.matchAll(/\bt\([^()?]*\?([^()]*)\)/g))
		for (const [, key] of inner.matchAll(/"([^"]+)"/g))
			asked.add(key);
	const isKnown = (key) => known.some((one) => one === key || one === `${key}_other`);
	assert.deepEqual([...asked].filter((key) => /^[a-z]/.test(key) && /[.\-a-z]/.test(key) && !isKnown(key) && key.length > 2), []);
	// Keys that are put together, like menu.ADDRESS.
	const families = [...sources.matchAll(/`([\w.-]*[./])\$\{/g)].map((match) => match[1]).filter((family) => family.length > 2);
	const unused = known.filter((key) => !sources.includes(`"${key.replace(/_(one|other)$/, "")}"`) && !/^(field|value|hint)\./.test(key) &&
		!families.some((family) => key.startsWith(family)));
	assert.deepEqual(unused, []);
});
