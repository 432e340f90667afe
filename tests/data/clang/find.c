#include "queue.h"

struct item *queue_find(struct queue *queue, unsigned long key)
{
	struct item *item = item_after(queue->first, key);

	if (!item || item->key != key)
		return 0;
	return item;
}

/* Small enough to be inlined into the other unit when linked as a whole. */
int queue_check(const struct queue *queue, unsigned long key)
{
	if (queue->count > 8)
		return -1;
	return key > 100 ? -2 : 0;
}
