/* Functions with and without a value, a label, an inlined call. Lines are told in claimed_lines_test.ts by their text. */
struct item {
	int flags;
	int count;
};

extern int external(int value);
extern void other(struct item *item);
extern struct item *item_of(int error);

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

/* The compiler drops both labels. */
int lost_labels(int value)
{
	int error;

	if (value < 0)
		goto out;
	error = external(value);
	if (error)
		goto fail;
	return 0;
fail:
	other(item_of(error));
out:
	return -1;
}
