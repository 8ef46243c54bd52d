// The shapes of the API, from its OpenAPI document: forms are made of them, so that a new field needs no change here.
import { url } from "./api.js";

let loading = null;

function load() {
	loading ??= fetch(url("/swagger/json"), { credentials: "omit" }).then((response) => {
		if (!response.ok)
			throw new Error(`/swagger/json: ${response.status}`);
		return response.json();
	}).catch((error) => {
		loading = null;
		throw error;
	});
	return loading;
}

/**
 * A shape with its references resolved.
 * @param {string} name "CreateCourseDto"
 * @returns {Promise<Object<string, Field>>} its fields in order
 * @typedef {{name: string, type: string, isNullable: boolean, isRequired: boolean, enum?: string[], format?: string,
 *     minLength?: number, maxLength?: number, minimum?: number, maximum?: number, pattern?: string, items?: Field,
 *     fields?: Object<string, Field>, maxItems?: number}} Field
 */
export async function shape(name) {
	const document = await load();
	const schema = document.components.schemas[name];
	if (!schema)
		throw new Error(`${name} is no shape of the API`);
	return fieldsOf(schema, document);
}

function fieldsOf(schema, document) {
	const parts = [schema, ...(schema.allOf ?? []).map((part) => resolve(part, document))];
	const fields = {};
	for (const part of parts)
		for (const [name, property] of Object.entries(part.properties ?? {}))
			fields[name] = field(name, property, parts.some((one) => one.required?.includes(name)), document);
	return fields;
}

function field(name, property, isRequired, document) {
	let isNullable = false;
	let schema = resolve(property, document);
	const choices = schema.anyOf ?? schema.oneOf;
	if (choices) {
		isNullable = choices.some((choice) => choice.type === "null");
		schema = { ...schema, ...resolve(choices.find((choice) => choice.type !== "null"), document) };
	}
	let type = schema.type;
	if (Array.isArray(type)) {
		isNullable ||= type.includes("null");
		type = type.find((one) => one !== "null");
	}
	const { minLength, maxLength, minimum, maximum, exclusiveMinimum, pattern, format, maxItems, minItems } = schema;
	return {
		name, type, isNullable, isRequired, enum: schema.enum?.filter((value) => value !== null), format, minLength, maxLength, minimum,
		maximum, exclusiveMinimum, pattern, maxItems, minItems,
		const: schema.const,
		items: schema.items && field(name, schema.items, true, document),
		fields: schema.properties && fieldsOf(schema, document),
	};
}

function resolve(schema, document) {
	let found = schema;
	while (found?.$ref)
		found = { ...found.$ref.slice(2).split("/").reduce((at, key) => at[key], document), ...without$ref(found) };
	return found ?? {};
}

const without$ref = ({ $ref, ...rest }) => rest;

/** The parameters of a route by name, as fields. */
export async function parameters(method, path) {
	const document = await load();
	const list = document.paths[path][method.toLowerCase()].parameters ?? [];
	return Object.fromEntries(list.filter((one) => one.name).map((one) => [one.name, field(one.name, one.schema, one.required, document)]));
}

/** The routes of the API. */
export const paths = async () => (await load()).paths;

