/* Functions with and without a value, a label, an inlined call. Lines are told in claimed_lines_test.ts by their text. */
struct item {
	int flags;
	int count;
};

extern int external(int value);
extern void other(struct item *item);

static inline int positive(int value)
{
	if (value < 0)
		return -1;
	return value * 3;
}

int returns_value(int value)
{
	int error;

	if (value > 100) {
		error = external(1);
		goto out;
	}
	error = positive(external(value));
	if (error < 0)
		goto out;
	error = external(error);
	other(0);
out:
	other(0);
	return error + 1;
}

void returns_nothing(struct item *item)
{
	if (item->count > 0)
		other(item);
	item->flags = 1;
}
