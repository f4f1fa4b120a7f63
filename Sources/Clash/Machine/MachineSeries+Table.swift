extension MachineSeries {
  /// Google's machine series, as of November 2026.
  ///
  /// - processor: what programs and disk images have to be made for.
  /// - accelerators: `own` ones come with the machine, `asked` ones are asked for, others have none.
  /// - host: whether Google can move a VM to another host while it runs.
  /// - disk: of a boot disk. In parentheses it is Google's default, which is left to Google.
  ///
  /// Sources: cloud.google.com/compute/docs/machine-resource and /docs/gpus; /docs/instances/live-migration-process
  /// (limitations); for disks the compute v1 discovery document (AttachedDiskInitializeParams.diskType: pd-standard up
  /// to the second generation, which is slow for images of containers; pd-balanced for c3, c3d and m3;
  /// hyperdisk-balanced for what is newer).
  static let table = """
    series  processor  accelerators  host   disk
    metal   x86        none          stays  hyperdisk-balanced
    a2      x86        own           stays  pd-balanced
    a3      x86        own           stays  (hyperdisk-balanced)
    a4      x86        own           stays  (hyperdisk-balanced)
    a4x     arm        own           stays  (hyperdisk-balanced)
    c2      x86        none          moves  pd-balanced
    c2d     x86        none          moves  pd-balanced
    c3      x86        none          moves  (pd-balanced)
    c3d     x86        none          moves  (pd-balanced)
    c4      x86        none          moves  (hyperdisk-balanced)
    c4a     arm        none          moves  (hyperdisk-balanced)
    c4d     x86        none          moves  (hyperdisk-balanced)
    custom  x86        asked         moves  pd-balanced
    e2      x86        none          moves  pd-balanced
    f1      x86        none          moves  pd-balanced
    g1      x86        none          moves  pd-balanced
    g2      x86        own           stays  pd-balanced
    g4      x86        own           stays  (hyperdisk-balanced)
    h3      x86        none          stays  (hyperdisk-balanced)
    h4d     x86        none          stays  (hyperdisk-balanced)
    m1      x86        none          moves  pd-balanced
    m2      x86        none          moves  pd-balanced
    m3      x86        none          moves  (pd-balanced)
    m4      x86        none          moves  (hyperdisk-balanced)
    n1      x86        asked         moves  pd-balanced
    n2      x86        none          moves  pd-balanced
    n2d     x86        none          moves  pd-balanced
    n4      x86        none          moves  (hyperdisk-balanced)
    n4a     arm        none          moves  (hyperdisk-balanced)
    n4d     x86        none          moves  (hyperdisk-balanced)
    t2a     arm        none          moves  pd-balanced
    t2d     x86        none          moves  pd-balanced
    x4      x86        none          stays  (hyperdisk-balanced)
    z3      x86        none          moves  (hyperdisk-balanced)
    """
}
