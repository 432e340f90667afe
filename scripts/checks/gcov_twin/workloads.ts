/** A program that makes one thread run parts of the kernel, and the source files that it is meant for. */
export interface Workload {
  /** Of `workloads/NAME.c`. */
  readonly name: string;
  readonly files: readonly string[];
}

/** The workloads that rules were tried on, and those on other files that rules were only held against. */
export const WORKLOADS: readonly Workload[] = [
  {
    name: "files_and_sockets",
    files: ["fs/namei.c", "mm/shmem.c", "net/socket.c", "fs/pipe.c", "net/unix/af_unix.c"],
  },
  {
    name: "ext4",
    files: [
      "fs/ext4/acl.c",
      "fs/ext4/balloc.c",
      "fs/ext4/dir.c",
      "fs/ext4/extents.c",
      "fs/ext4/extents_status.c",
      "fs/ext4/file.c",
      "fs/ext4/hash.c",
      "fs/ext4/ialloc.c",
      "fs/ext4/indirect.c",
      "fs/ext4/inline.c",
      "fs/ext4/inode.c",
      "fs/ext4/ioctl.c",
      "fs/ext4/mballoc.c",
      "fs/ext4/move_extent.c",
      "fs/ext4/namei.c",
      "fs/ext4/super.c",
      "fs/ext4/xattr.c",
    ],
  },
  {
    name: "events_and_ipc",
    files: [
      "fs/eventfd.c",
      "fs/eventpoll.c",
      "fs/notify/fanotify/fanotify_user.c",
      "fs/notify/inotify/inotify_user.c",
      "fs/select.c",
      "fs/signalfd.c",
      "fs/timerfd.c",
      "ipc/mqueue.c",
      "ipc/msg.c",
      "ipc/sem.c",
      "ipc/shm.c",
      "kernel/signal.c",
      "kernel/time/itimer.c",
      "kernel/time/posix-timers.c",
    ],
  },
  {
    name: "network",
    files: [
      "drivers/net/veth.c",
      "net/core/rtnetlink.c",
      "net/ipv4/devinet.c",
      "net/ipv4/fib_frontend.c",
      "net/ipv4/fib_rules.c",
      "net/ipv4/fib_semantics.c",
      "net/ipv4/fib_trie.c",
      "net/ipv4/ip_sockglue.c",
      "net/ipv4/udp.c",
      "net/netlink/af_netlink.c",
      "net/unix/af_unix.c",
      "net/unix/garbage.c",
    ],
  },
];
