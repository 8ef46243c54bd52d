// Two judges of an OpenAPI document: redocly's recommended rules, and the JSON Schema of OpenAPI 3.1 itself. A line a fault.
import SwaggerParser from "@apidevtools/swagger-parser";
import { createConfig, lint } from "@redocly/openapi-core";

const [document] = process.argv.slice(2);
// Our router prefers a fixed segment to a parameter, so /results/{id} beside /{id}/status is no ambiguity.
const config = await createConfig({ extends: ["recommended"], rules: { "no-ambiguous-paths": "off" } });

for (const { ruleId, message, location } of await lint({ ref: document, config })) {
	const at = location[0]?.pointer ?? "";
	// The envelope as such, which people know by that name: every answer has one of its own.
	if (ruleId !== "no-unused-components" || at !== "#/components/schemas/BaseResponseDto")
		console.log(`${at}: ${message.replaceAll("\n", " ")} (${ruleId})`);
}
try {
	await SwaggerParser.validate(document);
} catch (fault) {
	console.log(`not OpenAPI 3.1: ${fault.message.replaceAll("\n", " ")}`);
}
