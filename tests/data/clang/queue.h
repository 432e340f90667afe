/* Inlined into both units. */
struct item {
	struct item *next;
	unsigned long key;
};

struct queue {
	struct item *first;
	unsigned long count;
};

int queue_check(const struct queue *queue, unsigned long key);
struct item *queue_find(struct queue *queue, unsigned long key);

static inline struct item *item_after(struct item *item, unsigned long key)
{
	while (item && item->key < key)
		item = item->next;
	return item;
}

static inline void queue_push(struct queue *queue, struct item *item)
{
	if (!item)
		return;
	item->next = queue->first;
	queue->first = item;
	queue->count++;
}
