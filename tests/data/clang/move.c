#include "queue.h"

static struct item *take(struct queue *queue, unsigned long key)
{
	struct item *item = queue_find(queue, key);

	if (item) {
		queue->count--;
		queue->first = item->next;
	}
	return item;
}

int queue_move(struct queue *from, struct queue *to, unsigned long key)
{
	int error = queue_check(to, key);

	if (error)
		return error;
	queue_push(to, take(from, key));
	switch (to->count & 3) {
	case 0:
		return queue_check(from, 1);
	case 1:
		queue_push(from, item_after(to->first, 2));
		break;
	default:
		from->count = to->count;
	}
	return 0;
}
