/// The systemd unit that runs the runner at every boot.
enum JobUnit {
  /// A preempted VM has 30 s; after the container's 20 the runner publishes what it still has.
  static let stopSeconds = 28

  static func text(job: String, folder: String) -> String {
    """
    [Unit]
    Description=dagrun job \(job)
    Wants=gcr-online.target docker.socket network-online.target
    After=gcr-online.target docker.socket docker.service network-online.target

    [Service]
    Type=simple
    ExecStart=/bin/bash \(folder)/runner.sh
    # Only the runner learns of the end: it stops the container itself.
    KillMode=mixed
    TimeoutStopSec=\(stopSeconds)
    RuntimeDirectory=dagrun
    RuntimeDirectoryMode=0700
    # Where the VM's memory is used up, the container's program goes, and the runner is left to report it.
    OOMScoreAdjust=-900
    OOMPolicy=continue
    Restart=no
    StandardOutput=journal+console
    StandardError=journal+console

    [Install]
    WantedBy=multi-user.target

    """
  }
}
