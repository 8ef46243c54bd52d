// What is wrong with level ranges: they have to cover 0 to 100 in rising order, each from where the one before ends or one above.

/**
 * @param {{level: string, minScore: ?number, maxScore: ?number}[]} ranges in rising order
 * @returns {{kind: "gap"|"overlap"|"reversed", from: number, to: number}[]} from low to high
 */
export function findings(ranges) {
	const found = [];
	let end = 0;
	ranges.filter(({ minScore, maxScore }) => typeof minScore === "number" &&
		typeof maxScore === "number").forEach(({ minScore, maxScore }, i) => {
		if (maxScore < minScore)
			found.push({ kind: "reversed", from: minScore, to: maxScore });
		if (minScore > end && !(i > 0 && minScore === end + 1))
			found.push({ kind: "gap", from: end, to: minScore });
		if (minScore < end)
			found.push({ kind: "overlap", from: minScore, to: Math.min(end, Math.max(maxScore, minScore)) });
		end = Math.max(end, maxScore);
	});
	if (end < 100)
		found.push({ kind: "gap", from: end, to: 100 });
	return found;
}
