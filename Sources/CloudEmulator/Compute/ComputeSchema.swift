extension Schema {
  /// The bodies that Compute's methods take, as the discovery document of compute v1 has them (revision 20261106).
  static let compute = Schema(
    """
    InstanceTemplate
      creationTimestamp:string description:string id:int64 kind:string name:string properties:InstanceProperties
      region:string selfLink:string sourceInstance:string sourceInstanceParams:SourceInstanceParams
    InstanceProperties
      advancedMachineFeatures:AdvancedMachineFeatures canIpForward:boolean
      confidentialInstanceConfig:ConfidentialInstanceConfig description:string disks:[AttachedDisk]
      guestAccelerators:[AcceleratorConfig] keyRevocationActionType:KEY_REVOCATION_ACTION_TYPE_UNSPECIFIED|NONE|STOP
      labels:{string}
      localSsdEncryptionMode:EPHEMERAL_KEY_ENCRYPTION|LOCAL_SSD_ENCRYPTION_MODE_UNSPECIFIED|STANDARD_ENCRYPTION
      machineType:string metadata:Metadata minCpuPlatform:string networkInterfaces:[NetworkInterface]
      networkPerformanceConfig:NetworkPerformanceConfig
      privateIpv6GoogleAccess:ENABLE_BIDIRECTIONAL_ACCESS_TO_GOOGLE|ENABLE_OUTBOUND_VM_ACCESS_TO_GOOGLE|\
    INHERIT_FROM_SUBNETWORK
      reservationAffinity:ReservationAffinity resourceManagerTags:{string} resourcePolicies:[string]
      scheduling:Scheduling serviceAccounts:[ServiceAccount] shieldedInstanceConfig:ShieldedInstanceConfig tags:Tags
      workloadIdentityConfig:WorkloadIdentityConfig
    AdvancedMachineFeatures
      enableNestedVirtualization:boolean enableUefiNetworking:boolean
      performanceMonitoringUnit:ARCHITECTURAL|ENHANCED|PERFORMANCE_MONITORING_UNIT_UNSPECIFIED|STANDARD
      threadsPerCore:integer turboMode:string visibleCoreCount:integer
    ConfidentialInstanceConfig
      confidentialInstanceType:BMSAI|CCA|CONFIDENTIAL_INSTANCE_TYPE_UNSPECIFIED|SEV|SEV_SNP|TDX
      confidentialParavisorConfig:ConfidentialParavisorConfig enableConfidentialCompute:boolean
    ConfidentialParavisorConfig
      confidentialTpmType:CONFIDENTIAL_TPM_TYPE_UNSPECIFIED|EPHEMERAL|NO_CC_TPM
      sevSnpIrqMode:RESTRICTED|SEV_SNP_IRQ_MODE_UNSPECIFIED|UNRESTRICTED
    AttachedDisk
      architecture:ARCHITECTURE_UNSPECIFIED|ARM64|X86_64 autoDelete:boolean boot:boolean deviceName:string
      diskEncryptionKey:CustomerEncryptionKey diskSizeGb:int64 forceAttach:boolean guestOsFeatures:[GuestOsFeature]
      index:integer initializeParams:AttachedDiskInitializeParams interface:NVME|SCSI kind:string licenses:[string]
      mode:READ_ONLY|READ_WRITE savedState:DISK_SAVED_STATE_UNSPECIFIED|PRESERVED
      shieldedInstanceInitialState:InitialStateConfig source:string type:PERSISTENT|SCRATCH
    CustomerEncryptionKey
      kmsKeyName:string kmsKeyServiceAccount:string rawKey:string rsaEncryptedKey:string sha256:string
    GuestOsFeature
      type:BARE_METAL_LINUX_COMPATIBLE|BMSAI_CAPABLE|CCA_CAPABLE|FEATURE_TYPE_UNSPECIFIED|GVNIC|IDPF|MULTI_IP_SUBNET|\
    SECURE_BOOT|SEV_CAPABLE|SEV_LIVE_MIGRATABLE|SEV_LIVE_MIGRATABLE_V2|SEV_SNP_CAPABLE|SNP_SVSM_CAPABLE|\
    SUSPEND_SAFE_FPR|TDX_CAPABLE|UEFI_COMPATIBLE|VIRTIO_SCSI_MULTIQUEUE|WINDOWS
    AttachedDiskInitializeParams
      architecture:ARCHITECTURE_UNSPECIFIED|ARM64|X86_64 description:string diskName:string diskSizeGb:int64
      diskType:string enableConfidentialCompute:boolean labels:{string} licenses:[string]
      onUpdateAction:RECREATE_DISK|RECREATE_DISK_IF_SOURCE_CHANGED|USE_EXISTING_DISK provisionedIops:int64
      provisionedThroughput:int64 replicaZones:[string] resourceManagerTags:{string} resourcePolicies:[string]
      sourceImage:string sourceImageEncryptionKey:CustomerEncryptionKey sourceSnapshot:string
      sourceSnapshotEncryptionKey:CustomerEncryptionKey storagePool:string
    InitialStateConfig
      dbs:[FileContentBuffer] dbxs:[FileContentBuffer] keks:[FileContentBuffer] pk:FileContentBuffer
    FileContentBuffer
      content:bytes fileType:BIN|UNDEFINED|X509
    AcceleratorConfig
      acceleratorCount:integer acceleratorType:string
    Metadata
      fingerprint:bytes items:[MetadataItems] kind:string
    MetadataItems
      key:string value:string
    NetworkInterface
      accessConfigs:[AccessConfig] aliasIpRanges:[AliasIpRange] aliasIpv6Ranges:[AliasIpRange]
      enableVpcScopedDns:boolean fingerprint:bytes igmpQuery:IGMP_QUERY_DISABLED|IGMP_QUERY_V2
      internalIpv6PrefixLength:integer ipv6AccessConfigs:[AccessConfig] ipv6AccessType:EXTERNAL|INTERNAL
      ipv6Address:string kind:string name:string network:string networkAttachment:string networkIP:string
      nicType:GVNIC|IDPF|IRDMA|MRDMA|UNSPECIFIED_NIC_TYPE|VIRTIO_NET parentNicName:string queueCount:integer
      serviceClassId:string stackType:IPV4_IPV6|IPV4_ONLY|IPV6_ONLY subnetwork:string vlan:integer
    AccessConfig
      externalIpv6:string externalIpv6PrefixLength:integer ipCollection:string kind:string name:string natIP:string
      networkTier:FIXED_STANDARD|PREMIUM|STANDARD|STANDARD_OVERRIDES_FIXED_STANDARD publicPtrDomainName:string
      securityPolicy:string setPublicPtr:boolean type:DIRECT_IPV6|ONE_TO_ONE_NAT
    AliasIpRange
      ipCidrRange:string subnetworkRangeName:string
    NetworkPerformanceConfig
      totalEgressBandwidthTier:DEFAULT|TIER_1
    ReservationAffinity
      consumeReservationType:ANY_RESERVATION|NO_RESERVATION|SPECIFIC_RESERVATION|UNSPECIFIED key:string
      values:[string]
    Scheduling
      automaticRestart:boolean availabilityDomain:integer exposeHostTopology:boolean
      gracefulShutdown:SchedulingGracefulShutdown hostErrorTimeoutSeconds:integer
      instanceTerminationAction:DELETE|INSTANCE_TERMINATION_ACTION_UNSPECIFIED|STOP localSsdRecoveryTimeout:Duration
      locationHint:string maxRunDuration:Duration minNodeCpus:integer nodeAffinities:[SchedulingNodeAffinity]
      onHostMaintenance:MIGRATE|TERMINATE onInstanceStopAction:SchedulingOnInstanceStopAction preemptible:boolean
      preemptionNoticeDuration:Duration
      protectionTier:PROTECTION_TIER_CAPACITY_OPTIMIZED|PROTECTION_TIER_STANDARD|PROTECTION_TIER_UNSPECIFIED
      provisioningModel:FLEX_START|RESERVATION_BOUND|SPOT|STANDARD skipGuestOsShutdown:boolean terminationTime:string
    SchedulingGracefulShutdown
      enabled:boolean maxDuration:Duration
    Duration
      nanos:integer seconds:int64
    SchedulingNodeAffinity
      key:string operator:IN|NOT_IN|OPERATOR_UNSPECIFIED values:[string]
    SchedulingOnInstanceStopAction
      discardLocalSsd:boolean
    ServiceAccount
      email:string scopes:[string]
    ShieldedInstanceConfig
      enableIntegrityMonitoring:boolean enableSecureBoot:boolean enableVtpm:boolean
    Tags
      fingerprint:bytes items:[string]
    WorkloadIdentityConfig
      identity:string identityCertificateEnabled:boolean
      identityType:AGENT_IDENTITY|IDENTITY_TYPE_UNSPECIFIED|SERVICE_ACCOUNT
    SourceInstanceParams
      diskConfigs:[DiskInstantiationConfig]
    DiskInstantiationConfig
      autoDelete:boolean customImage:string deviceName:string
      instantiateFrom:ATTACH_READ_ONLY|BLANK|CUSTOM_IMAGE|DEFAULT|DO_NOT_INCLUDE|SOURCE_IMAGE|SOURCE_IMAGE_FAMILY
    InstanceGroupManager
      allInstancesConfig:InstanceGroupManagerAllInstancesConfig
      autoHealingPolicies:[InstanceGroupManagerAutoHealingPolicy] baseInstanceName:string creationTimestamp:string
      currentActions:InstanceGroupManagerActionsSummary description:string distributionPolicy:DistributionPolicy
      fingerprint:bytes id:int64 instanceFlexibilityPolicy:InstanceGroupManagerInstanceFlexibilityPolicy
      instanceGroup:string instanceLifecyclePolicy:InstanceGroupManagerInstanceLifecyclePolicy instanceTemplate:string
      kind:string listManagedInstancesResults:PAGELESS|PAGINATED name:string namedPorts:[NamedPort] region:string
      resourcePolicies:InstanceGroupManagerResourcePolicies satisfiesPzi:boolean satisfiesPzs:boolean selfLink:string
      standbyPolicy:InstanceGroupManagerStandbyPolicy statefulPolicy:StatefulPolicy status:InstanceGroupManagerStatus
      targetPools:[string] targetSize:integer targetSizePolicy:InstanceGroupManagerTargetSizePolicy
      targetStoppedSize:integer targetSuspendedSize:integer updatePolicy:InstanceGroupManagerUpdatePolicy
      versions:[InstanceGroupManagerVersion] zone:string
    InstanceGroupManagerAllInstancesConfig
      properties:InstancePropertiesPatch
    InstancePropertiesPatch
      exposeHostTopology:boolean labels:{string} metadata:{string}
    InstanceGroupManagerAutoHealingPolicy
      healthCheck:string initialDelaySec:integer
    InstanceGroupManagerActionsSummary
      abandoning:integer creating:integer creatingWithoutRetries:integer deleting:integer none:integer
      recreating:integer refreshing:integer restarting:integer resuming:integer starting:integer stopping:integer
      suspending:integer verifying:integer
    DistributionPolicy
      targetShape:ANY|ANY_SINGLE_ZONE|BALANCED|EVEN zones:[DistributionPolicyZoneConfiguration]
    DistributionPolicyZoneConfiguration
      zone:string
    InstanceGroupManagerInstanceFlexibilityPolicy
      instanceSelections:{InstanceGroupManagerInstanceFlexibilityPolicyInstanceSelection}
    InstanceGroupManagerInstanceFlexibilityPolicyInstanceSelection
      disks:[AttachedDisk] machineTypes:[string] minCpuPlatform:string rank:integer
    InstanceGroupManagerInstanceLifecyclePolicy
      defaultActionOnFailure:DO_NOTHING|REPAIR forceUpdateOnRepair:NO|YES
      onFailedHealthCheck:DEFAULT_ACTION|DO_NOTHING|REPAIR
      onRepair:InstanceGroupManagerInstanceLifecyclePolicyOnRepair
    InstanceGroupManagerInstanceLifecyclePolicyOnRepair
      allowChangingZone:NO|YES
    NamedPort
      name:string port:integer
    InstanceGroupManagerResourcePolicies
      workloadPolicy:string
    InstanceGroupManagerStandbyPolicy
      initialDelaySec:integer mode:MANUAL|SCALE_OUT_POOL
    StatefulPolicy
      preservedState:StatefulPolicyPreservedState
    StatefulPolicyPreservedState
      disks:{StatefulPolicyPreservedStateDiskDevice} externalIPs:{StatefulPolicyPreservedStateNetworkIp}
      internalIPs:{StatefulPolicyPreservedStateNetworkIp}
    StatefulPolicyPreservedStateDiskDevice
      autoDelete:NEVER|ON_PERMANENT_INSTANCE_DELETION
    StatefulPolicyPreservedStateNetworkIp
      autoDelete:NEVER|ON_PERMANENT_INSTANCE_DELETION
    InstanceGroupManagerStatus
      allInstancesConfig:InstanceGroupManagerStatusAllInstancesConfig
      appliedAcceleratorTopologies:[InstanceGroupManagerStatusAcceleratorTopology] autoscaler:string
      bulkInstanceOperation:InstanceGroupManagerStatusBulkInstanceOperation
      currentInstanceStatuses:InstanceGroupManagerStatusInstanceStatusSummary isStable:boolean
      stateful:InstanceGroupManagerStatusStateful versionTarget:InstanceGroupManagerStatusVersionTarget
    InstanceGroupManagerStatusAllInstancesConfig
      currentRevision:string effective:boolean
    InstanceGroupManagerStatusAcceleratorTopology
      acceleratorTopology:string state:ACTIVATING|ACTIVE|ACTIVE_DEGRADED|DEACTIVATING|FAILED|INCOMPLETE|REACTIVATING
      stateDetails:InstanceGroupManagerStatusAcceleratorTopologyAcceleratorTopologyStateDetails
    InstanceGroupManagerStatusAcceleratorTopologyAcceleratorTopologyStateDetails
      error:InstanceGroupManagerStatusAcceleratorTopologyAcceleratorTopologyStateDetailsError timestamp:string
    InstanceGroupManagerStatusAcceleratorTopologyAcceleratorTopologyStateDetailsError
      errors:[InstanceGroupManagerStatusAcceleratorTopologyAcceleratorTopologyStateDetailsErrorErrors]
    InstanceGroupManagerStatusAcceleratorTopologyAcceleratorTopologyStateDetailsErrorErrors
      code:string
      errorDetails:[InstanceGroupManagerStatusAcceleratorTopologyAcceleratorTopologyStateDetailsErrorErrorsErrorDetails]
      location:string message:string
    InstanceGroupManagerStatusAcceleratorTopologyAcceleratorTopologyStateDetailsErrorErrorsErrorDetails
      errorInfo:ErrorInfo help:Help localizedMessage:LocalizedMessage quotaInfo:QuotaExceededInfo
    ErrorInfo
      domain:string metadatas:{string} reason:string
    Help
      links:[HelpLink]
    HelpLink
      description:string url:string
    LocalizedMessage
      locale:string message:string
    QuotaExceededInfo
      dimensions:{string} futureLimit:number limit:number limitName:string metricName:string
      rolloutStatus:IN_PROGRESS|ROLLOUT_STATUS_UNSPECIFIED
    InstanceGroupManagerStatusBulkInstanceOperation
      inProgress:boolean lastProgressCheck:InstanceGroupManagerStatusBulkInstanceOperationLastProgressCheck
    InstanceGroupManagerStatusBulkInstanceOperationLastProgressCheck
      error:InstanceGroupManagerStatusBulkInstanceOperationLastProgressCheckError timestamp:string
    InstanceGroupManagerStatusBulkInstanceOperationLastProgressCheckError
      errors:[InstanceGroupManagerStatusBulkInstanceOperationLastProgressCheckErrorErrors]
    InstanceGroupManagerStatusBulkInstanceOperationLastProgressCheckErrorErrors
      code:string
      errorDetails:[InstanceGroupManagerStatusBulkInstanceOperationLastProgressCheckErrorErrorsErrorDetails]
      location:string message:string
    InstanceGroupManagerStatusBulkInstanceOperationLastProgressCheckErrorErrorsErrorDetails
      errorInfo:ErrorInfo help:Help localizedMessage:LocalizedMessage quotaInfo:QuotaExceededInfo
    InstanceGroupManagerStatusInstanceStatusSummary
      deprovisioning:integer nonExistent:integer pending:integer pendingStop:integer provisioning:integer
      repairing:integer running:integer staging:integer stopped:integer stopping:integer suspended:integer
      suspending:integer terminated:integer
    InstanceGroupManagerStatusStateful
      hasStatefulConfig:boolean perInstanceConfigs:InstanceGroupManagerStatusStatefulPerInstanceConfigs
    InstanceGroupManagerStatusStatefulPerInstanceConfigs
      allEffective:boolean
    InstanceGroupManagerStatusVersionTarget
      isReached:boolean
    InstanceGroupManagerTargetSizePolicy
      mode:BULK|INDIVIDUAL|UNSPECIFIED_MODE
    InstanceGroupManagerUpdatePolicy
      instanceRedistributionType:NONE|PROACTIVE maxSurge:FixedOrPercent maxUnavailable:FixedOrPercent
      minimalAction:NONE|REFRESH|REPLACE|RESTART mostDisruptiveAllowedAction:NONE|REFRESH|REPLACE|RESTART
      replacementMethod:RECREATE|SUBSTITUTE type:OPPORTUNISTIC|PROACTIVE
    FixedOrPercent
      calculated:integer fixed:integer percent:integer
    InstanceGroupManagerVersion
      instanceTemplate:string name:string targetSize:FixedOrPercent
    InstanceGroupsListInstancesRequest
      instanceState:ALL|RUNNING
    InstanceGroupManagersDeleteInstancesRequest
      instances:[string] skipInstancesOnValidationError:boolean
    """)
}
