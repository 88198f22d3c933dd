//! The ECM and EMM syntax of the two reference CA systems; shared by headend and clients.
