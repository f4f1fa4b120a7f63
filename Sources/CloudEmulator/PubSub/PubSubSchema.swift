extension Schema {
  /// The bodies that Pub/Sub's methods take, as the discovery document of pubsub v1 has them.
  static let pubSub = Schema(
    """
    Topic
      ingestionDataSourceSettings:IngestionDataSourceSettings kmsKeyName:string labels:{string}
      messageRetentionDuration:string messageStoragePolicy:MessageStoragePolicy messageTransforms:[MessageTransform]
      name:string satisfiesPzs:boolean schemaSettings:SchemaSettings
      state:STATE_UNSPECIFIED|ACTIVE|INGESTION_RESOURCE_ERROR tags:{string}
    IngestionDataSourceSettings
      awsKinesis:AwsKinesis awsMsk:AwsMsk azureEventHubs:AzureEventHubs cloudStorage:CloudStorage
      confluentCloud:ConfluentCloud platformLogsSettings:PlatformLogsSettings
    AwsKinesis
      awsRoleArn:string consumerArn:string gcpServiceAccount:string
      state:STATE_UNSPECIFIED|ACTIVE|KINESIS_PERMISSION_DENIED|PUBLISH_PERMISSION_DENIED|STREAM_NOT_FOUND|\
    CONSUMER_NOT_FOUND|CONFLICTING_REGION_CONSTRAINTS
      streamArn:string
    AwsMsk
      awsRoleArn:string clusterArn:string gcpServiceAccount:string
      state:STATE_UNSPECIFIED|ACTIVE|MSK_PERMISSION_DENIED|PUBLISH_PERMISSION_DENIED|CLUSTER_NOT_FOUND|TOPIC_NOT_FOUND|\
    CONFLICTING_REGION_CONSTRAINTS
      topic:string
    AzureEventHubs
      clientId:string eventHub:string gcpServiceAccount:string namespace:string resourceGroup:string
      state:STATE_UNSPECIFIED|ACTIVE|EVENT_HUBS_PERMISSION_DENIED|PUBLISH_PERMISSION_DENIED|NAMESPACE_NOT_FOUND|\
    EVENT_HUB_NOT_FOUND|SUBSCRIPTION_NOT_FOUND|RESOURCE_GROUP_NOT_FOUND|CONFLICTING_REGION_CONSTRAINTS
      subscriptionId:string tenantId:string
    CloudStorage
      avroFormat:AvroFormat bucket:string matchGlob:string minimumObjectCreateTime:string
      pubsubAvroFormat:PubSubAvroFormat
      state:STATE_UNSPECIFIED|ACTIVE|CLOUD_STORAGE_PERMISSION_DENIED|PUBLISH_PERMISSION_DENIED|BUCKET_NOT_FOUND|\
    TOO_MANY_OBJECTS|CONFLICTING_REGION_CONSTRAINTS
      textFormat:TextFormat
    AvroFormat
    PubSubAvroFormat
    TextFormat
      delimiter:string
    ConfluentCloud
      bootstrapServer:string clusterId:string gcpServiceAccount:string identityPoolId:string
      state:STATE_UNSPECIFIED|ACTIVE|CONFLUENT_CLOUD_PERMISSION_DENIED|PUBLISH_PERMISSION_DENIED|\
    UNREACHABLE_BOOTSTRAP_SERVER|CLUSTER_NOT_FOUND|TOPIC_NOT_FOUND|CONFLICTING_REGION_CONSTRAINTS
      topic:string
    PlatformLogsSettings
      severity:SEVERITY_UNSPECIFIED|DISABLED|DEBUG|INFO|WARNING|ERROR
    MessageStoragePolicy
      allowedPersistenceRegions:[string] enforceInTransit:boolean
    MessageTransform
      aiInference:AIInference compression:Compression disabled:boolean enabled:boolean javascriptUdf:JavaScriptUDF
    AIInference
      endpoint:string serviceAccountEmail:string unstructuredInference:UnstructuredInference
    UnstructuredInference
      parameters:{any}
    Compression
      compressionAlgorithm:COMPRESSION_ALGORITHM_UNSPECIFIED|ZLIB
      compressionMode:COMPRESSION_MODE_UNSPECIFIED|COMPRESS|DECOMPRESS
    JavaScriptUDF
      code:string functionName:string
    SchemaSettings
      encoding:ENCODING_UNSPECIFIED|JSON|BINARY firstRevisionId:string lastRevisionId:string schema:string
    Subscription
      ackDeadlineSeconds:integer analyticsHubSubscriptionInfo:AnalyticsHubSubscriptionInfo
      bigqueryConfig:BigQueryConfig bigtableConfig:BigtableConfig cloudStorageConfig:CloudStorageConfig
      deadLetterPolicy:DeadLetterPolicy detached:boolean enableExactlyOnceDelivery:boolean
      enableMessageOrdering:boolean expirationPolicy:ExpirationPolicy filter:string labels:{string}
      messageRetentionDuration:string messageTransforms:[MessageTransform] name:string pushConfig:PushConfig
      retainAckedMessages:boolean retryPolicy:RetryPolicy state:STATE_UNSPECIFIED|ACTIVE|RESOURCE_ERROR tags:{string}
      topic:string topicMessageRetentionDuration:string
    AnalyticsHubSubscriptionInfo
      listing:string subscription:string
    BigQueryConfig
      dropUnknownFields:boolean serviceAccountEmail:string
      state:STATE_UNSPECIFIED|ACTIVE|PERMISSION_DENIED|NOT_FOUND|SCHEMA_MISMATCH|IN_TRANSIT_LOCATION_RESTRICTION|\
    VERTEX_AI_LOCATION_RESTRICTION
      table:string useTableSchema:boolean useTopicSchema:boolean writeMetadata:boolean
    BigtableConfig
      appProfileId:string columnFamilyMapping:ColumnFamilyMapping serviceAccountEmail:string
      state:STATE_UNSPECIFIED|ACTIVE|NOT_FOUND|APP_PROFILE_MISCONFIGURED|PERMISSION_DENIED|SCHEMA_MISMATCH|\
    IN_TRANSIT_LOCATION_RESTRICTION|VERTEX_AI_LOCATION_RESTRICTION
      table:string writeMetadata:boolean
    ColumnFamilyMapping
      delimitedKey:DelimitedKey rowKeySchema:RowKeySchema
    DelimitedKey
      delimiter:bytes keyFields:[string]
    RowKeySchema
    CloudStorageConfig
      avroConfig:AvroConfig bucket:string filenameDatetimeFormat:string filenamePrefix:string filenameSuffix:string
      maxBytes:int64 maxDuration:string maxMessages:int64 serviceAccountEmail:string
      state:STATE_UNSPECIFIED|ACTIVE|PERMISSION_DENIED|NOT_FOUND|IN_TRANSIT_LOCATION_RESTRICTION|SCHEMA_MISMATCH|\
    VERTEX_AI_LOCATION_RESTRICTION
      textConfig:TextConfig
    AvroConfig
      useTopicSchema:boolean writeMetadata:boolean
    TextConfig
    DeadLetterPolicy
      deadLetterTopic:string maxDeliveryAttempts:integer
    ExpirationPolicy
      ttl:string
    PushConfig
      attributes:{string} noWrapper:NoWrapper oidcToken:OidcToken pubsubWrapper:PubsubWrapper pushEndpoint:string
    NoWrapper
      writeMetadata:boolean
    OidcToken
      audience:string serviceAccountEmail:string
    PubsubWrapper
    RetryPolicy
      maximumBackoff:string minimumBackoff:string
    PublishRequest
      messages:[PubsubMessage]
    PubsubMessage
      attributes:{string} data:bytes messageId:string orderingKey:string publishTime:string
    PullRequest
      maxMessages:integer returnImmediately:boolean
    AcknowledgeRequest
      ackIds:[string]
    ModifyAckDeadlineRequest
      ackDeadlineSeconds:integer ackIds:[string]
    """)
}
