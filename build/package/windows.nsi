; The installer for Windows. It installs for the one person who runs it, so that
; no administrator is asked. makensis gets -DVERSION=1.2.3 -DSTAGE=dir -DOUT=file.
Unicode true
Name "Lanyard"
OutFile "${OUT}"
InstallDir "$LOCALAPPDATA\Programs\Lanyard"
InstallDirRegKey HKCU "Software\Lanyard" "Place"
RequestExecutionLevel user
SetCompressor /SOLID lzma
ManifestDPIAware true

!include "MUI2.nsh"
!define MUI_ICON "${ICON}"
!define MUI_UNICON "${ICON}"
!define MUI_ABORTWARNING
!define MUI_FINISHPAGE_RUN "$INSTDIR\lanyard-desktop.exe"
!define UNINSTALL "Software\Microsoft\Windows\CurrentVersion\Uninstall\Lanyard"

!insertmacro MUI_PAGE_LICENSE "${LICENSE}"
!insertmacro MUI_PAGE_DIRECTORY
!insertmacro MUI_PAGE_INSTFILES
!insertmacro MUI_PAGE_FINISH
!insertmacro MUI_UNPAGE_CONFIRM
!insertmacro MUI_UNPAGE_INSTFILES
!insertmacro MUI_LANGUAGE "English"
!insertmacro MUI_LANGUAGE "German"

VIProductVersion "${NUMBER}"
VIAddVersionKey /LANG=1033 "ProductName" "Lanyard"
VIAddVersionKey /LANG=1033 "ProductVersion" "${VERSION}"
VIAddVersionKey /LANG=1033 "FileVersion" "${VERSION}"
VIAddVersionKey /LANG=1033 "FileDescription" "Lanyard setup"
VIAddVersionKey /LANG=1033 "LegalCopyright" "Apache-2.0"

; An engine that runs holds its program file: it is asked to end, in order.
!macro StopEngine
  IfFileExists "$INSTDIR\lanyard.exe" 0 +3
  nsExec::Exec '"$INSTDIR\lanyard.exe" stop'
  Sleep 1500
!macroend

Section
  SetShellVarContext current
  !insertmacro StopEngine
  SetOutPath "$INSTDIR"
  File "${STAGE}\lanyard.exe"
  File "${STAGE}\lanyard-desktop.exe"
  File "${STAGE}\LICENSES.txt"
  WriteUninstaller "$INSTDIR\uninstall.exe"
  CreateShortcut "$SMPROGRAMS\Lanyard.lnk" "$INSTDIR\lanyard-desktop.exe"
  WriteRegStr HKCU "Software\Lanyard" "Place" "$INSTDIR"
  ; Links of the form lanyard:// open the window, which asks about them.
  WriteRegStr HKCU "Software\Classes\lanyard" "" "URL:Lanyard"
  WriteRegStr HKCU "Software\Classes\lanyard" "URL Protocol" ""
  WriteRegStr HKCU "Software\Classes\lanyard\DefaultIcon" "" "$INSTDIR\lanyard-desktop.exe,0"
  WriteRegStr HKCU "Software\Classes\lanyard\shell\open\command" "" '"$INSTDIR\lanyard-desktop.exe" "%1"'
  WriteRegStr HKCU "${UNINSTALL}" "DisplayName" "Lanyard"
  WriteRegStr HKCU "${UNINSTALL}" "DisplayVersion" "${VERSION}"
  WriteRegStr HKCU "${UNINSTALL}" "DisplayIcon" "$INSTDIR\lanyard-desktop.exe"
  WriteRegStr HKCU "${UNINSTALL}" "Publisher" "Lanyard"
  WriteRegStr HKCU "${UNINSTALL}" "UninstallString" '"$INSTDIR\uninstall.exe"'
  WriteRegStr HKCU "${UNINSTALL}" "QuietUninstallString" '"$INSTDIR\uninstall.exe" /S'
  WriteRegDWORD HKCU "${UNINSTALL}" "NoModify" 1
  WriteRegDWORD HKCU "${UNINSTALL}" "NoRepair" 1
SectionEnd

; What people keep, their folders and the configuration in
; %LOCALAPPDATA%\Lanyard, is theirs and stays.
Section "Uninstall"
  SetShellVarContext current
  !insertmacro StopEngine
  Delete "$INSTDIR\lanyard.exe"
  Delete "$INSTDIR\lanyard-desktop.exe"
  Delete "$INSTDIR\LICENSES.txt"
  Delete "$INSTDIR\uninstall.exe"
  RMDir "$INSTDIR"
  Delete "$SMPROGRAMS\Lanyard.lnk"
  DeleteRegKey HKCU "Software\Classes\lanyard"
  DeleteRegKey HKCU "Software\Lanyard"
  ; Under these the system knows who notifies.
  DeleteRegKey HKCU "Software\Classes\AppUserModelId\Lanyard"
  DeleteRegKey HKCU "${UNINSTALL}"
  DeleteRegValue HKCU "Software\Microsoft\Windows\CurrentVersion\Run" "Lanyard"
SectionEnd
