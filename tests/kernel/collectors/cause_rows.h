/*
 * The rows of collector_causes.c: what a process does, and three functions that the kernel then runs for it elsewhere. Each
 * with how it came to run, and the call that it goes back to.
 */
#ifndef CAUSE_ROWS_H
#define CAUSE_ROWS_H

#include "causes_of_files.h"
#include "causes_of_packets.h"
#include "causes_of_tasks.h"

struct cause {
	const char *name;
	/* Not collected, collected, and not collected while the kernel does the rest. */
	void (*before)(void), (*action)(void), (*meanwhile)(void);
	struct found {
		const char *function;
		int how;
		unsigned call;
	} functions[3];
	/* How long after the action it runs, in ms; 0: at once. */
	int late;
	/* Which the kernel runs for each of those that wait for the same work. */
	const char *each;
};

static const struct cause causes[] = {
	{ "udp", udp_before, send_one, NULL, {
		{ "ip_rcv", NET, SYS_sendto },
		{ "udp_queue_rcv_one_skb", NET, SYS_sendto },
		{ "process_backlog", NET, SYS_sendto },
	} },
	{ "tcp", tcp_before, tcp, NULL, {
		{ "tcp_conn_request", NET, SYS_connect },
		{ "tcp_v4_rcv", NET, SYS_connect },
		{ "tcp_rcv_state_process", NET, SYS_connect },
	} },
	{ "veth", veth_before, send_one, NULL, {
		{ "icmp_rcv", NET, SYS_sendto },
		{ "ip_rcv", NET, SYS_sendto },
		{ "udp_err", NET, SYS_sendto },
	} },
	{ "bridge", bridge_before, send_one, NULL, {
		{ "br_handle_frame", NET, SYS_sendto },
		{ "br_handle_frame_finish", NET, SYS_sendto },
		{ "icmp_rcv", NET, SYS_sendto },
	} },
	{ "qdisc", qdisc_before, send_one, NULL, {
		{ "dummy_xmit", NET, SYS_sendto },
		{ "qdisc_watchdog", TIMER, SYS_sendto },
		{ "dev_hard_start_xmit", NET, SYS_sendto },
	}, .late = 300, .each = "dummy_xmit" },
	{ "syn", syn_before, syn, NULL, {
		{ "tcp_retransmit_timer", TIMER, SYS_connect },
		{ "tcp_retransmit_skb", TIMER, SYS_connect },
		{ "tcp_write_timer", TIMER, SYS_connect },
	}, .late = 1000 },
	{ "vsock", vsock_before, vsock, NULL, {
		{ "vsock_loopback_work", WORK, SYS_connect },
		{ "virtio_transport_recv_pkt", WORK, SYS_connect },
		{ "virtio_transport_deliver_tap_pkt", WORK, SYS_connect },
	} },
	{ "timerfd", timerfd_before, timerfd, NULL, {
		{ "timerfd_tmrproc", TIMER, SYS_timerfd_settime },
		{ "ep_poll_callback", TIMER, SYS_timerfd_settime },
		{ "io_poll_wake", TIMER, SYS_timerfd_settime },
	}, .late = 300 },
	{ "itimer", itimer_before, itimer, NULL, {
		{ "it_real_fn", TIMER, SYS_setitimer },
		{ "kill_pid_info", TIMER, SYS_setitimer },
		{ "complete_signal", TIMER, SYS_setitimer },
	}, .late = 300 },
	{ "cputimer", cputimer_before, cputimer, burn, {
		{ "cpu_timer_fire", TIMER, SYS_timer_settime },
		{ "posix_timer_queue_signal", TIMER, SYS_timer_settime },
		{ "complete_signal", TIMER, SYS_timer_settime },
	}, .late = 300 },
	{ "profiler", itimer_before, profiler, burn, {
		{ "send_signal_locked", TIMER, SYS_setitimer },
		{ "complete_signal", TIMER, SYS_setitimer },
		{ "prepare_signal", TIMER, SYS_setitimer },
	}, .late = 300 },
	{ "exit", nothing, end_of_a_child, NULL, {
		{ "delayed_put_task_struct", RCU, CALL_EXIT },
		{ "__put_task_struct", RCU, CALL_EXIT },
		{ "free_task", RCU, CALL_EXIT },
	} },
	{ "netns", nothing, netns, NULL, {
		{ "cleanup_net", WORK, CALL_EXIT },
		{ "default_device_exit_batch", WORK, CALL_EXIT },
		{ "unregister_netdevice_many_notify", WORK, CALL_EXIT },
	}, .late = 1 },
	{ "pty", pty_before, pty, NULL, {
		{ "flush_to_ldisc", WORK, SYS_write },
		{ "n_tty_receive_buf_common", WORK, SYS_write },
		{ "tty_port_default_receive_buf", WORK, SYS_write },
	} },
	{ "inotify", inotify_before, inotify, NULL, {
		{ "fsnotify_mark_destroy_workfn", WORK, SYS_inotify_rm_watch },
		{ "fsnotify_put_group", WORK, SYS_inotify_rm_watch },
		{ "inotify_free_mark", WORK, SYS_inotify_rm_watch },
	}, .late = 200, .each = "inotify_free_mark" },
	{ "close", close_before, close_unlink, NULL, {
		{ "i_callback", RCU, SYS_unlink },
		{ "__d_free", RCU, SYS_unlink },
		{ "shmem_free_in_core_inode", RCU, SYS_unlink },
	} },
	{ "umount", umount_before, umount_one, NULL, {
		{ "destroy_super_work", WORK, SYS_umount2 },
		{ "destroy_super_rcu", RCU, SYS_umount2 },
		{ "delayed_free_vfsmnt", RCU, SYS_umount2 },
	} },
	{ "io_uring", uring_before, uring, NULL, {
		{ "io_wq_submit_work", IO_WQ, SYS_io_uring_enter },
		{ "io_read", IO_WQ, SYS_io_uring_enter },
		{ "shmem_file_read_iter", IO_WQ, SYS_io_uring_enter },
	} },
	{ "devtmpfs", nothing, devtmpfs, NULL, {
		{ "vfs_mknod", KTHREAD, SYS_ioctl },
		{ "shmem_mknod", KTHREAD, SYS_ioctl },
		{ "kern_path_create", KTHREAD, SYS_ioctl },
	} },
	{ "loop", ext4_before, read_block, NULL, {
		{ "loop_process_work", WORK, SYS_pread64 },
		{ "lo_rw_aio", WORK, SYS_pread64 },
		{ "mpage_read_end_io", BIO, SYS_pread64 },
	} },
	{ "ext4", ext4_before, write_and_sync, NULL, {
		{ "jbd2_journal_commit_transaction", KTHREAD, SYS_fsync },
		{ "lo_rw_aio", WORK, SYS_fsync },
		{ "ext4_end_bio", BIO, SYS_fsync },
	} },
	{ "ext4_mount", image_before, mount_image, NULL, {
		{ "kjournald2", KTHREAD, SYS_mount },
		{ "jbd2_journal_commit_transaction", KTHREAD, SYS_fsync },
		{ "loop_process_work", WORK, SYS_mount },
	} },
	{ "writeback", writeback_before, write_one, NULL, {
		{ "ext4_do_writepages", WORK, SYS_write },
		{ "__writeback_single_inode", WORK, SYS_write },
		{ "ext4_end_bio", BIO, SYS_write },
	}, .late = 1500, .each = "ext4_do_writepages" },
	/* Not in the embedded kernel: it needs CONFIG_KUNIT_DEBUGFS and CONFIG_LIST_KUNIT_TEST. */
	{ "kunit", kunit_before, kunit, NULL, {
		{ "kunit_try_run_case", KTHREAD, SYS_write },
		{ "kunit_generic_run_threadfn_adapter", KTHREAD, SYS_write },
		{ "list_test_list_add", KTHREAD, SYS_write },
	} },
};

#endif
