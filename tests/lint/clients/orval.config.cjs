// For check_clients of lint.sh, which runs it in a folder of its own.
module.exports = {
	okul: {
		input: "./openapi.json",
		output: { mode: "split", target: "generated/orval/okul.ts", schemas: "generated/orval/model", client: "fetch" },
	},
};
