//! Which functions of the kernel do what for a server that sends. How a sample is sorted by them
//! stands in `groups`.
//!
//! Names are those of Linux 6.1 to 6.18 on x86-64. A function that no rule knows counts for its
//! caller, so most new names need no rule.

use super::stacks::Frame;

/// A group, and the functions of the kernel that belong to it, with blanks between. A `*` stands for
/// anything.
pub struct Rule(pub &'static str, &'static str);

/// These decide wherever on the stack they stand, the first of them first.
pub const ANYWHERE: [Rule; 3] = [
    Rule(
        "kernel: waking who receives",
        "sock_def_readable ep_poll_callback try_to_wake_up* __wake_up* tcp_data_ready",
    ),
    Rule(
        "kernel: receiving in softirq, for players and for itself",
        "tcp_v4_rcv tcp_v6_rcv tcp_rcv_established ip_local_deliver* ip_rcv*",
    ),
    Rule(
        "kernel: page faults, memory touched for the first time",
        "asm_exc_page_fault exc_page_fault do_user_addr_fault handle_mm_fault",
    ),
];

/// Of these the innermost one decides. Within a function's name the first rule that knows it.
pub const INNERMOST: [Rule; 10] = [
    Rule(
        "kernel: copying from the program",
        "_copy_from_iter* copy_from_iter* copyin skb_do_copy_data* skb_copy_to_page* tcp_copy_to_page*",
    ),
    Rule(
        "kernel: buffers, taken and given back",
        "*alloc_skb* kfree_skb* skb_release* skb_free* kmem_cache_* kmalloc* __kmalloc* \
         kfree* alloc_pages* __alloc_pages* free_pages* __free_pages* free_unref* \
         get_page_from_freelist skb_page_frag_refill sk_page_frag_refill page_frag* \
         __page_frag* put_page __folio_put sk_skb_reason_drop skb_clone __skb_clone \
         skb_attempt_defer_free tcp_wmem_schedule __sk_mem* sk_forced*",
    ),
    Rule("kernel: TCP's own sending", "tcp_* __tcp_* bbr_* cubictcp_* inet_csk*"),
    Rule(
        "kernel: IP, queues and loopback",
        "ip_* __ip_* ip6_* inet6_csk* dev_* __dev_* loopback_* nf_* netif_* __netif_* \
         enqueue_to_backlog sch_* eth_* neigh_* fib_* ipv4_dst* __do_softirq handle_softirqs \
         do_softirq* __local_bh_enable_ip net_rx_action process_backlog __napi_poll \
         validate_xmit* net_tx*",
    ),
    Rule("kernel: finding the socket", "fdget* __fdget* __fget* sockfd_lookup* fput*"),
    Rule(
        "kernel: the socket's layer",
        "sock_* inet_sendmsg inet6_sendmsg security_* apparmor_* aa_* __sys_send* \
         __x64_sys_send* ___sys_send* ____sys_send* lock_sock* release_sock __release_sock \
         import_* move_addr*",
    ),
    Rule(
        "kernel: waiting and readiness",
        "schedule* __schedule* ep_* do_epoll* __x64_sys_epoll* io_* __io_* \
         __x64_sys_io_uring* __do_sys_io_uring* futex_* do_nanosleep hrtimer_*",
    ),
    Rule(
        "kernel: interrupts and the clock's tick",
        "asm_sysvec* sysvec* __sysvec* irq_exit* __irq_exit* asm_exc* exc_* \
         asm_common_interrupt common_interrupt tick_*",
    ),
    Rule(
        "kernel: entering and leaving",
        "entry_SYSCALL* do_syscall_64 x64_sys_call syscall_* __x64_sys_* __sys_* \
         entry_SYSRETQ* srso_* exit_to_user*",
    ),
    Rule(
        "kernel: copying to the program",
        "_copy_to_iter* copy_to_iter* simple_copy_to_iter copyout skb_copy_datagram* \
         __skb_datagram_iter",
    ),
];

impl Rule {
    /// Whether a function belongs to the group.
    pub fn knows(&self, frame: &Frame) -> bool {
        self.1.split_whitespace().any(|pattern| matches(pattern, &frame.name))
    }
}

fn matches(pattern: &str, name: &str) -> bool {
    match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
        (Some(middle), Some(_)) => name.contains(middle.trim_end_matches('*')),
        (Some(end), None) => name.ends_with(end),
        (None, Some(beginning)) => name.starts_with(beginning),
        (None, None) => name == pattern,
    }
}
