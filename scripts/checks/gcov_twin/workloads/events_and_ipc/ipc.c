/* One thread's System V and POSIX messages, semaphores and shared memory. */
#include "parts.h"
#include <mqueue.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <time.h>

/* ipc/ */
void system_v(void)
{
	struct {
		long type;
		char text[200];
	} message = { 1, "text" };
	struct sembuf operations[3] = { { 0, 1, 0 }, { 1, 2, SEM_UNDO }, { 0, -1, IPC_NOWAIT } };
	union semun {
		int value;
		struct semid_ds *set;
		unsigned short *array;
		struct seminfo *info;
	} argument;
	unsigned short values[4] = { 1, 2, 3, 4 };
	struct timespec soon = { 0, 1000000 };
	struct msqid_ds queue;
	struct semid_ds semaphores;
	struct shmid_ds memory;
	struct msginfo information;
	struct seminfo semaphore_information;
	struct shm_info shared_information;
	char *map;
	int id, other;

	id = msgget(0x1234, IPC_CREAT | 0600);
	msgget(0x1234, IPC_CREAT | IPC_EXCL | 0600);
	msgget(0x99, 0);
	other = msgget(IPC_PRIVATE, 0600);
	for (message.type = 1; message.type < 5; message.type++)
		msgsnd(id, &message, message.type * 40, 0);
	message.type = 0;
	msgsnd(id, &message, 10, 0);
	msgsnd(id, &message, 1 << 20, 0);
	msgsnd(9999, &message, 10, 0);
	msgrcv(id, &message, 5, 0, IPC_NOWAIT);
	msgrcv(id, &message, 5, 0, MSG_NOERROR);
	msgrcv(id, &message, 200, 3, 0);
	msgrcv(id, &message, 200, -3, 0);
	msgrcv(id, &message, 200, 77, IPC_NOWAIT);
	msgrcv(id, &message, 200, 2, MSG_EXCEPT | IPC_NOWAIT);
	msgrcv(id, &message, 200, 0, MSG_COPY | IPC_NOWAIT);
	msgrcv(id, &message, 200, 0, IPC_NOWAIT);
	msgrcv(9999, &message, 200, 0, IPC_NOWAIT);
	msgctl(id, IPC_STAT, &queue);
	queue.msg_qbytes = 300;
	msgctl(id, IPC_SET, &queue);
	message.type = 1;
	msgsnd(id, &message, 200, IPC_NOWAIT);
	msgsnd(id, &message, 200, IPC_NOWAIT);
	interrupts(1);
	msgsnd(id, &message, 200, 0);
	interrupts(0);
	interrupts(1);
	msgrcv(other, &message, 200, 0, 0);
	interrupts(0);
	msgctl(0, MSG_STAT, &queue);
	msgctl(0, IPC_INFO, (struct msqid_ds *)&information);
	msgctl(0, MSG_INFO, (struct msqid_ds *)&information);
	msgctl(id, 99, &queue);
	msgctl(id, IPC_SET, (void *)1);
	other = open("/proc/sysvipc/msg", O_RDONLY);
	read(other, data, 4096);
	close(other);
	msgctl(id, IPC_RMID, NULL);
	msgctl(id, IPC_RMID, NULL);
	other = msgget(0x77, IPC_CREAT | 0);
	seteuid(1000);
	msgctl(other, IPC_STAT, &queue);
	msgctl(other, IPC_RMID, NULL);
	msgget(0x77, 0600);
	seteuid(0);
	msgctl(other, IPC_RMID, NULL);

	id = semget(0x1234, 4, IPC_CREAT | 0600);
	semget(0x1234, 9, 0600);
	semget(0x1235, 100000, IPC_CREAT | 0600);
	semget(0x1235, 0, IPC_CREAT | 0600);
	argument.array = values;
	semctl(id, 0, SETALL, argument);
	semctl(id, 0, GETALL, argument);
	argument.value = 2;
	semctl(id, 1, SETVAL, argument);
	argument.value = -2;
	semctl(id, 1, SETVAL, argument);
	semctl(id, 9, SETVAL, argument);
	semctl(id, 1, GETVAL);
	semctl(id, 1, GETPID);
	semctl(id, 1, GETNCNT);
	semctl(id, 1, GETZCNT);
	semctl(id, 9, GETVAL);
	semop(id, operations, 1);
	semop(id, operations, 3);
	operations[0] = (struct sembuf){ 2, -100, IPC_NOWAIT };
	semop(id, operations, 1);
	operations[0] = (struct sembuf){ 2, 0, IPC_NOWAIT };
	semop(id, operations, 1);
	operations[0] = (struct sembuf){ 2, -3, 0 };
	semop(id, operations, 1);
	operations[0] = (struct sembuf){ 2, 0, 0 };
	semop(id, operations, 1);
	operations[0] = (struct sembuf){ 2, 32000, 0 };
	operations[1] = (struct sembuf){ 2, 32000, 0 };
	semop(id, operations, 2);
	operations[0] = (struct sembuf){ 2, -3, 0 };
	semtimedop(id, operations, 1, &soon);
	operations[0] = (struct sembuf){ 1, -30, 0 };
	operations[1] = (struct sembuf){ 3, 0, 0 };
	semtimedop(id, operations, 2, &soon);
	operations[0] = (struct sembuf){ 20, 1, 0 };
	semop(id, operations, 1);
	semop(id, operations, 0);
	semop(9999, operations, 1);
	semop(id, operations, 100000);
	interrupts(1);
	operations[0] = (struct sembuf){ 2, -3, SEM_UNDO };
	semop(id, operations, 1);
	interrupts(0);
	argument.set = &semaphores;
	semctl(id, 0, IPC_STAT, argument);
	semctl(id, 0, IPC_SET, argument);
	semctl(0, 0, SEM_STAT, argument);
	argument.info = &semaphore_information;
	semctl(0, 0, IPC_INFO, argument);
	semctl(0, 0, SEM_INFO, argument);
	semctl(id, 0, 99, argument);
	other = open("/proc/sysvipc/sem", O_RDONLY);
	read(other, data, 4096);
	close(other);
	semctl(id, 0, IPC_RMID);
	semctl(id, 0, IPC_RMID);

	id = shmget(0x1234, 20000, IPC_CREAT | 0600);
	shmget(0x1234, 200000, 0600);
	shmget(0x1234, 20000, IPC_CREAT | IPC_EXCL | 0600);
	shmget(0x1235, 0, IPC_CREAT | 0600);
	shmget(0x1236, 1 << 20, IPC_CREAT | SHM_HUGETLB | 0600);
	map = shmat(id, NULL, 0);
	if (map != (void *)-1) {
		map[5000] = 1;
		shmat(id, map, 0);
		shmat(id, map, SHM_REMAP);
		shmat(id, map + 1, 0);
		shmctl(id, SHM_LOCK, NULL);
		shmctl(id, SHM_UNLOCK, NULL);
		shmdt(map);
		shmdt(map);
	}
	map = shmat(id, NULL, SHM_RDONLY);
	shmat(id, (void *)0x10000001, SHM_RND);
	shmat(9999, NULL, 0);
	shmctl(id, IPC_STAT, &memory);
	shmctl(id, IPC_SET, &memory);
	shmctl(0, SHM_STAT, &memory);
	shmctl(0, IPC_INFO, &memory);
	shmctl(0, SHM_INFO, (struct shmid_ds *)&shared_information);
	shmctl(id, 99, &memory);
	other = open("/proc/sysvipc/shm", O_RDONLY);
	read(other, data, 4096);
	close(other);
	shmctl(id, IPC_RMID, NULL);
	shmat(id, NULL, 0);
	shmdt(map);
	shmctl(id, IPC_RMID, NULL);
}

/* ipc/mqueue.c */
void posix_queues(void)
{
	struct mq_attr attributes = { .mq_maxmsg = 4, .mq_msgsize = 100 }, old;
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGWINCH };
	struct timespec soon, past = { 1, 0 };
	unsigned int priority;
	mqd_t queue, other;

	mq_open("/missing", O_RDWR);
	queue = mq_open("/queue", O_CREAT | O_RDWR, 0600, &attributes);
	mq_open("/queue", O_CREAT | O_EXCL | O_RDWR, 0600, &attributes);
	attributes.mq_maxmsg = 1000000;
	mq_open("/large", O_CREAT | O_RDWR, 0600, &attributes);
	attributes.mq_maxmsg = 0;
	mq_open("/none", O_CREAT | O_RDWR, 0600, &attributes);
	other = mq_open("/standard", O_CREAT | O_RDONLY | O_NONBLOCK, 0600, NULL);
	mq_send(queue, data, 10, 1);
	mq_send(queue, data, 20, 5);
	mq_send(queue, data, 30, 1);
	mq_send(queue, data, 200, 1);
	mq_send(queue, data, 20, 1000000);
	mq_send(other, data, 20, 1);
	mq_receive(other, data, sizeof(data), NULL);
	mq_send(queue, data, 0, 3);
	clock_gettime(CLOCK_REALTIME, &soon);
	soon.tv_nsec = (soon.tv_nsec + 2000000) % 1000000000;
	mq_timedsend(queue, data, 10, 1, &past);
	mq_timedsend(queue, data, 10, 1, &soon);
	mq_timedsend(queue, data, 10, 1, &(struct timespec){ 0, -1 });
	mq_setattr(queue, &(struct mq_attr){ .mq_flags = O_NONBLOCK }, &old);
	mq_setattr(queue, &(struct mq_attr){ .mq_flags = 1 }, &old);
	mq_send(queue, data, 10, 1);
	mq_getattr(queue, &old);
	poll(&(struct pollfd){ queue, POLLIN | POLLOUT, 0 }, 1, 0);
	for (int i = 0; i < 5; i++)
		mq_receive(queue, data, 100, &priority);
	mq_receive(queue, data, 10, &priority);
	mq_notify(queue, &event);
	mq_notify(queue, &event);
	mq_send(queue, data, 10, 1);
	mq_notify(queue, NULL);
	event.sigev_notify = SIGEV_NONE;
	mq_notify(queue, &event);
	mq_notify(queue, NULL);
	event.sigev_signo = 999;
	event.sigev_notify = SIGEV_SIGNAL;
	mq_notify(queue, &event);
	lseek(queue, 0, SEEK_SET);
	read(queue, data, 200);
	mq_timedreceive(0, data, 100, NULL, &past);
	mq_timedreceive(queue, data, 100, NULL, &past);
	mq_setattr(queue, &(struct mq_attr){ 0 }, NULL);
	mq_timedreceive(queue, data, 100, NULL, &past);
	interrupts(1);
	mq_receive(queue, data, 100, NULL);
	interrupts(0);
	mq_close(queue);
	mq_close(other);
	seteuid(1000);
	mq_open("/queue", O_RDWR);
	seteuid(0);
	mq_unlink("/queue");
	mq_unlink("/queue");
	mq_unlink("/standard");
}
