// SPDX-License-Identifier: GPL-2.0-only
// The attributes of ns-3 that a scenario sets: by keys of the schema that name one (x-attribute),
// and by name under 'attributes'. The reader finds them, the check judges them, the builder gives
// them to the objects.
#ifndef ESXNF_ATTRIBUTE_SETTINGS_H
#define ESXNF_ATTRIBUTE_SETTINGS_H

#include "runner/scenario/yaml-document.h"

#include "ns3/object.h"
#include "ns3/type-id.h"

#include <map>
#include <string>
#include <vector>

namespace esxnf
{

/// An attribute and its value.
struct AttributeSetting
{
    std::string type;  //!< ns3::EsxNetflow
    std::string name;  //!< IdleTimeout
    std::string value; //!< as ns-3 reads it
    std::string path;  //!< JSON pointer of the value
    bool byName;       //!< it stands under 'attributes'
    bool isDefault;    //!< the schema's, written or not
};

/// By the JSON pointer of the part that they stand in, at any depth: /run, /hosts/esx1 (also those
/// of its netflow), /links/0 (also those of its burst_loss).
using AttributeSettings = std::map<std::string, std::vector<AttributeSetting>>;

/// \return what a valid document with its defaults sets
AttributeSettings FindAttributeSettings(const YamlDocument& document);

/// \return those of a part; none is an empty list
const std::vector<AttributeSetting>& SettingsOf(const AttributeSettings& settings,
                                                const std::string& part);

/// Gives an object what keys of a part say of its type.
void ApplyKeys(const AttributeSettings& settings,
               const std::string& part,
               const ns3::Ptr<ns3::Object>& object);

/// \return the first key of the schema that sets an attribute, with the keys of its maps
/// (netflow.idle_timeout); empty: none does. The attribute may be named by a derived type.
std::string KeyOfAttribute(ns3::TypeId type, const std::string& name);

/// \return the type that declares an attribute: itself or a parent; its uid is 0 if none does
ns3::TypeId DeclaringType(ns3::TypeId type, const std::string& name);

} // namespace esxnf

#endif // ESXNF_ATTRIBUTE_SETTINGS_H
