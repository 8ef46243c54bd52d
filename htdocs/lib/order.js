// Which numbers change when rows that are sorted by a number get another order.
const LAST = 1000000;
const STEP = 10;	// between rows that get new numbers at the end, so that the next move changes one row

/**
 * As few changes as possible: the longest run of rows keeps its numbers, those between get numbers between.
 * @param {number[]} numbers whole ones from 0, in the wanted order of their rows
 * @param {number} [last] the largest number allowed
 * @returns {Map<number, number>} new numbers by place
 */
export function renumber(numbers, last = LAST) {
	const count = numbers.length;
	const kept = keep(numbers, last);
	const changes = new Map();
	let [place, number] = [-1, -1];
	for (const next of [...kept, count]) {
		const isEnd = next === count;
		const room = next - place;
		const end = isEnd ? Math.min(number + STEP * room, last + 1) : numbers[next];
		for (let i = place + 1; i < next; i++)
			changes.set(i, number + Math.floor(((end - number) * (i - place)) / room));
		[place, number] = [next, end];
	}
	for (const [i, value] of changes)
		if (numbers[i] === value)
			changes.delete(i);
	return changes;
}

/** The places that keep their numbers: the longest run in which number - place does not fall, so that there is room between. */
function keep(numbers, last) {
	const spare = numbers.map((number, i) => number - i);
	const best = [];	// [length of the run that ends here, the place before]
	spare.forEach((value, i) => {
		best[i] = value < 0 || numbers[i] > last - (numbers.length - 1 - i) ? [0, -1] : [1, -1];
		for (let j = 0; best[i][0] && j < i; j++)
			if (best[j][0] && spare[j] <= value && best[j][0] >= best[i][0])
				best[i] = [best[j][0] + 1, j];
	});
	const run = [];
	let at = best.reduce((most, [length], i) => (length > (best[most]?.[0] ?? 0) ? i : most), -1);
	for (; at >= 0; at = best[at][1])
		run.unshift(at);
	return run;
}
