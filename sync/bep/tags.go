package bep

// A tag is a field's number and how its value is written: what stands before
// the value on the wire. Encoder and decoder share these.
const (
	varintType = 0 // a number
	lengthType = 2 // bytes with their length in front
)

const (
	tagHelloDeviceName     = 1<<3 | lengthType
	tagHelloClientName     = 2<<3 | lengthType
	tagHelloClientVersion  = 3<<3 | lengthType
	tagHelloNumConnections = 4<<3 | varintType
	tagHelloTimestamp      = 5<<3 | varintType
)

const (
	tagHeaderType        = 1<<3 | varintType
	tagHeaderCompression = 2<<3 | varintType
)

const (
	tagConfigFolders   = 1<<3 | lengthType
	tagConfigSecondary = 2<<3 | varintType

	tagFolderID      = 1<<3 | lengthType
	tagFolderLabel   = 2<<3 | lengthType
	tagFolderType    = 3<<3 | varintType
	tagFolderStopped = 7<<3 | varintType
	tagFolderDevices = 16<<3 | lengthType
	tagFolderLooking = 10001<<3 | varintType // Lanyard's own

	tagDeviceID            = 1<<3 | lengthType
	tagDeviceName          = 2<<3 | lengthType
	tagDeviceAddresses     = 3<<3 | lengthType
	tagDeviceCompression   = 4<<3 | varintType
	tagDeviceCertName      = 5<<3 | lengthType
	tagDeviceMaxSequence   = 6<<3 | varintType
	tagDeviceIntroducer    = 7<<3 | varintType
	tagDeviceIndexID       = 8<<3 | varintType
	tagDeviceSkipRemovals  = 9<<3 | varintType
	tagDevicePasswordToken = 10<<3 | lengthType
)

const (
	tagIndexFolder       = 1<<3 | lengthType
	tagIndexFiles        = 2<<3 | lengthType
	tagIndexLastSequence = 3<<3 | varintType
	tagIndexPrevSequence = 4<<3 | varintType

	tagFileName           = 1<<3 | lengthType
	tagFileType           = 2<<3 | varintType
	tagFileSize           = 3<<3 | varintType
	tagFilePermissions    = 4<<3 | varintType
	tagFileModifiedS      = 5<<3 | varintType
	tagFileDeleted        = 6<<3 | varintType
	tagFileInvalid        = 7<<3 | varintType
	tagFileNoPermissions  = 8<<3 | varintType
	tagFileVersion        = 9<<3 | lengthType
	tagFileSequence       = 10<<3 | varintType
	tagFileModifiedNs     = 11<<3 | varintType
	tagFileModifiedBy     = 12<<3 | varintType
	tagFileBlockSize      = 13<<3 | varintType
	tagFilePlatform       = 14<<3 | lengthType
	tagFileBlocks         = 16<<3 | lengthType
	tagFileSymlinkTarget  = 17<<3 | lengthType
	tagFileBlocksHash     = 18<<3 | lengthType
	tagFileEncrypted      = 19<<3 | lengthType
	tagFilePreviousBlocks = 20<<3 | lengthType
	tagFileSums           = 10001<<3 | lengthType // Lanyard's own

	tagBlockOffset = 1<<3 | varintType
	tagBlockSize   = 2<<3 | varintType
	tagBlockHash   = 3<<3 | lengthType

	tagVectorCounters = 1<<3 | lengthType
	tagCounterID      = 1<<3 | varintType
	tagCounterValue   = 2<<3 | varintType
)

const (
	tagRequestID            = 1<<3 | varintType
	tagRequestFolder        = 2<<3 | lengthType
	tagRequestName          = 3<<3 | lengthType
	tagRequestOffset        = 4<<3 | varintType
	tagRequestSize          = 5<<3 | varintType
	tagRequestHash          = 6<<3 | lengthType
	tagRequestFromTemporary = 7<<3 | varintType
	tagRequestBlockNo       = 9<<3 | varintType

	tagResponseID   = 1<<3 | varintType
	tagResponseData = 2<<3 | lengthType
	tagResponseCode = 3<<3 | varintType
)

const (
	tagProgressFolder  = 1<<3 | lengthType
	tagProgressUpdates = 2<<3 | lengthType

	tagUpdateType          = 1<<3 | varintType
	tagUpdateName          = 2<<3 | lengthType
	tagUpdateVersion       = 3<<3 | lengthType
	tagUpdateBlockIndexes  = 4<<3 | varintType
	tagUpdatePackedIndexes = 4<<3 | lengthType
	tagUpdateBlockSize     = 5<<3 | varintType

	tagCloseReason = 1<<3 | lengthType
)

const (
	tagOfferFolder = 1<<3 | lengthType
	tagOfferFiles  = 2<<3 | varintType
	tagOfferBytes  = 3<<3 | varintType
)

const (
	tagEpochFolder  = 1<<3 | lengthType
	tagEpochIndexID = 2<<3 | varintType
	tagEpochDone    = 3<<3 | varintType
	tagEpochEntries = 4<<3 | lengthType

	tagEpochName       = 1<<3 | lengthType
	tagEpochVersion    = 2<<3 | lengthType
	tagEpochDeleted    = 3<<3 | varintType
	tagEpochBlocksHash = 4<<3 | lengthType
)
