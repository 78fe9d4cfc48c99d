package network

import (
	"net"

	"golang.org/x/sys/windows"
)

// What GetIfEntry2Ex tells of an interface (netioapi.h, ntddndis.h).
const (
	withoutStatistics = 2 // MibIfEntryNormalWithoutStatistics
	isHardware        = 1 // HardwareInterface of InterfaceAndOperStatusFlags
	mediumUnspecified = 0 // NdisPhysicalMediumUnspecified
	medium802_3       = 14
)

var getIfEntry2Ex = windows.NewLazySystemDLL("iphlpapi.dll").NewProc("GetIfEntry2Ex")

// kindOf tells what an interface sends over, as its driver says. It is not known
// before Windows 10, version 1703.
func kindOf(i net.Interface) Kind {
	if getIfEntry2Ex.Find() != nil {
		return Unknown
	}
	row := windows.MibIfRow2{InterfaceIndex: uint32(i.Index)}
	if windows.GetIfEntry2Ex(withoutStatistics, &row) != nil {
		return Unknown
	}
	medium := row.PhysicalMediumType
	switch {
	case row.InterfaceAndOperStatusFlags&isHardware == 0:
		return Virtual
	case row.Type == windows.IF_TYPE_IEEE80211:
		return WiFi
	case row.Type == windows.IF_TYPE_ETHERNET_CSMACD && (medium == medium802_3 || medium == mediumUnspecified):
		return Cable
	}
	return Unknown
}
