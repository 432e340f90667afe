/* Calls of every kind, with a coverage point in each block: what called what is told by a walk of the stack. */
#define OWN __attribute__((noinline, noclone))

/* Of other.c, which has no coverage points. */
int through(int (*callback)(int), int x);
int direct(int x);
int far(int x);
int nothing(int x);
void sort(int *values, int count, int (*compare)(const void *, const void *));

static volatile int sink;

OWN int leaf(int x)
{
	return x > 3 ? x * 2 : x + sink;
}

OWN int other_leaf(int x)
{
	sink += x;
	return x;
}

OWN int loops(int n)
{
	int sum = 0;
	for (int i = 0; i < n; i++)
		sum += leaf(i);
	return sum;
}

OWN int calls_in_a_row(int x)
{
	int sum = leaf(x);
	sum += other_leaf(sum);
	sum += leaf(sum);
	nothing(sum);
	return sum + other_leaf(x);
}

OWN int recursive(int n)
{
	if (n <= 1)
		return leaf(n);
	return recursive(n - 1) + recursive(n - 2);
}

OWN int chooses(int x)
{
	switch (x) {
	case 0: return leaf(x);
	case 1: return other_leaf(x);
	case 2: return loops(x);
	case 3: sink = 3; break;
	case 4: return calls_in_a_row(x);
	case 5: sink = 5; break;
	case 6: return recursive(4);
	case 7: return direct(x);
	default: return -1;
	}
	return other_leaf(x + 1);
}

typedef int (*handler)(int);

OWN int by_pointer(int x)
{
	static const handler volatile table[] = { leaf, other_leaf, loops, calls_in_a_row };
	return table[x & 3](x) + table[(x + 1) & 3](x);
}

OWN int tail(int x)
{
	if (x & 1)
		return leaf(x);
	return other_leaf(x);
}

/* Called by other.c. */
OWN int called_back(int x)
{
	return leaf(x) + loops(2);
}

OWN int called_directly(int x)
{
	return other_leaf(x);
}

OWN int called_far(int x)
{
	return x < 0 ? leaf(x) : loops(1);
}

static int by_value(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;
	return x < y ? -1 : leaf(x) > leaf(y);
}

__attribute__((cold, noinline)) int seldom(int x)
{
	return other_leaf(x) + leaf(x);
}

OWN int test(int round)
{
	int values[] = { 5, 2, 9, 1, 7 };
	int sum = loops(round) + calls_in_a_row(round);
	if (__builtin_expect(round == 7, 0))
		sum += seldom(round);
	for (int i = 0; i < 9; i++)
		sum += chooses((i + round) % 9);
	sum += recursive(3) + by_pointer(round) + tail(round) + tail(round + 1);
	sum += through(called_back, round) + through(leaf, 1) + direct(round) + far(round);
	sort(values, 5, by_value);
	return sum + values[0];
}

void trace_on(void);
void trace_off(void);

int main(void)
{
	for (int round = 0; round < 30; round++) {
		trace_on();
		test(round);
		trace_off();
	}
	return 0;
}
