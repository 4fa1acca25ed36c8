// Which system calls a confined program may not make, as a filter that the kernel runs (seccomp, classic BPF): new processes, whose memory
// no limit would add up; and doors into the kernel that no such program needs. x86-64 only; another machine's calls end the program.

enum SystemCallFilter {
  /// The filter's instructions, eight bytes each, as `struct sock_filter` lies in memory.
  static let bytes: [UInt8] = instructions.flatMap { instruction -> [UInt8] in
    [instruction.code, instruction.code >> 8].map { UInt8(truncatingIfNeeded: $0) } + [instruction.whenTrue, instruction.whenFalse]
      + (0..<4).map { UInt8(truncatingIfNeeded: instruction.value >> (8 * $0)) }
  }

  private struct Instruction {
    var code: UInt16
    var whenTrue: UInt8 = 0
    var whenFalse: UInt8 = 0
    var value: UInt32
  }

  // Opcodes of <linux/bpf_common.h>; results of <linux/seccomp.h>; offsets into `struct seccomp_data`.
  private static func load(_ offset: UInt32) -> Instruction { Instruction(code: 0x20, value: offset) }
  private static func isEqual(_ value: UInt32, skip count: UInt8, otherwise other: UInt8) -> Instruction {
    Instruction(code: 0x15, whenTrue: count, whenFalse: other, value: value)
  }
  private static func isAtLeast(_ value: UInt32, skip count: UInt8, otherwise other: UInt8) -> Instruction {
    Instruction(code: 0x35, whenTrue: count, whenFalse: other, value: value)
  }
  private static func hasBits(_ value: UInt32, skip count: UInt8, otherwise other: UInt8) -> Instruction {
    Instruction(code: 0x45, whenTrue: count, whenFalse: other, value: value)
  }
  private static func result(_ value: UInt32) -> Instruction { Instruction(code: 0x06, value: value) }
  private static let (allow, kill, error): (UInt32, UInt32, UInt32) = (0x7fff_0000, 0x8000_0000, 0x0005_0000)
  private static let (notPermitted, notImplemented): (UInt32, UInt32) = (1, 38)

  /// fork, vfork, ptrace, mount, umount2, pivot_root, unshare, setns, add_key, request_key, keyctl, memfd_create, bpf, perf_event_open,
  /// userfaultfd, io_uring_setup, kexec_load, init_module, finit_module, process_vm_readv, process_vm_writev.
  private static let denied: [UInt32] = [
    57, 58, 101, 165, 166, 155, 272, 308, 248, 249, 250, 319, 321, 298, 323, 425, 246, 175, 313, 310, 311,
  ]

  private static let instructions: [Instruction] = {
    var list = [
      load(4), isEqual(0xc000_003e, skip: 1, otherwise: 0), result(kill),  // AUDIT_ARCH_X86_64
      load(0), isAtLeast(0x4000_0000, skip: 0, otherwise: 1), result(kill),  // x32
      // clone3 hides its flags behind a pointer: the C library then takes clone, which may only make threads (CLONE_THREAD).
      isEqual(435, skip: 0, otherwise: 1), result(error | notImplemented),
      isEqual(56, skip: 0, otherwise: 4), load(16), hasBits(0x10000, skip: 0, otherwise: 1), result(allow), result(error | notPermitted),
    ]
    for call in denied { list += [isEqual(call, skip: 0, otherwise: 1), result(error | notPermitted)] }
    return list + [result(allow)]
  }()
}
