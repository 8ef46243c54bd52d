// What `make web` prints: failures in full, then the numbers as tests/count reads them.
import path from "node:path";

export default async function* reporter(events) {
	let passed = 0;
	let failed = 0;
	for await (const { type, data } of events) {
		// Some versions of Node report a file as a test around its tests.
		const isFile = data?.name && path.isAbsolute(data.name);
		if (type === "test:pass" && !isFile) {
			passed++;
			yield `ok ${data.name}\n`;
		} else if (type === "test:fail" && !(isFile && failed)) {
			failed++;
			const { cause, message } = data.details.error;
			yield `FAIL ${data.name}\n${cause?.stack ?? message}\n`;
		} else if (type === "test:stderr" || type === "test:diagnostic" && /error/i.test(data.message ?? "")) {
			yield data.message;
		}
	}
	yield `web: ${passed} passed, ${failed} failed\n`;
}
