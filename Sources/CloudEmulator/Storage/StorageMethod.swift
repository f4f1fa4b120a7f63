/// The methods of Cloud Storage that are emulated, by Google's names.
enum StorageMethod: String, Sendable, CaseIterable {
  case bucketsInsert = "storage.buckets.insert"
  case bucketsGet = "storage.buckets.get"
  case bucketsList = "storage.buckets.list"
  case bucketsDelete = "storage.buckets.delete"
  case objectsGet = "storage.objects.get"
  case objectsList = "storage.objects.list"
  case objectsDelete = "storage.objects.delete"
  case objectsUpload = "storage.objects.insert"
  /// A part of a resumable upload.
  case objectsUploadChunk = "storage.objects.insert.chunk"
}

extension StorageMethod {
  /// From the discovery document of storage v1; below the address, for uploads have a base of their own.
  static let routes = RouteTable<StorageMethod>(
    """
    storage.buckets.insert POST storage/v1/b project projection predefinedAcl predefinedDefaultObjectAcl \
    enableObjectRetention
    storage.buckets.get GET storage/v1/b/{bucket} projection ifMetagenerationMatch userProject
    storage.buckets.list GET storage/v1/b project projection prefix maxResults pageToken userProject
    storage.buckets.delete DELETE storage/v1/b/{bucket} ifMetagenerationMatch userProject
    storage.objects.get GET storage/v1/b/{bucket}/o/{object} @object
    storage.objects.get GET download/storage/v1/b/{bucket}/o/{object} @object
    storage.objects.list GET storage/v1/b/{bucket}/o delimiter endOffset includeFoldersAsPrefixes \
    includeTrailingDelimiter matchGlob maxResults pageToken prefix projection startOffset userProject versions
    storage.objects.delete DELETE storage/v1/b/{bucket}/o/{object} @object
    storage.objects.insert POST upload/storage/v1/b/{bucket}/o name contentEncoding kmsKeyName predefinedAcl \
    upload_id @object
    storage.objects.insert.chunk PUT upload/storage/v1/b/{bucket}/o name upload_id @object
    """.replacing(
      "@object",
      with: "generation ifGenerationMatch ifGenerationNotMatch ifMetagenerationMatch ifMetagenerationNotMatch "
        + "projection userProject"))
}
